import type { Repository } from '../engine/index.ts';
import { removeNewVm } from '../xen/new-vm.ts';
import type { XapiConnection } from '../xen/xapi-connection.ts';
import type { CleanUpResult } from './backup-commands.ts';
import { endSession, sessionInClosedVault } from './end-session.ts';
import type { CleanUpRestoreCommand } from './restore-commands.ts';

/**
 * Removes what an unfinished restore has left in the pool, then lets go of the restore point; so the pool is clean also
 * when the vault can't be reached. `withRepository` is null where the vault is closed for good. Safe to repeat.
 */
export async function cleanUpRestore(
  connection: XapiConnection,
  withRepository: ((work: (repository: Repository) => Promise<string[]>) => Promise<string[]>) | null,
  { jobId }: CleanUpRestoreCommand,
): Promise<CleanUpResult> {
  const removed = await removeNewVm(connection, jobId);
  if (withRepository === null) {
    return { removed, left: [sessionInClosedVault(jobId)] };
  }
  return { removed, left: await withRepository(async (repository) => endSession(repository, jobId)) };
}
