import type { Repository } from '../engine/index.ts';
import { removeNewVm } from '../xen/new-vm.ts';
import type { XapiConnection } from '../xen/xapi-connection.ts';
import type { CleanUpResult } from './backup-commands.ts';
import { endSession } from './end-session.ts';
import type { CleanUpRestoreCommand } from './restore-commands.ts';

/** Removes what an unfinished restore has left in the pool, and lets go of the restore point. Safe to repeat. */
export async function cleanUpRestore(
  connection: XapiConnection,
  repository: Repository,
  { jobId }: CleanUpRestoreCommand,
): Promise<CleanUpResult> {
  const removed = await removeNewVm(connection, jobId);
  return { removed, left: await endSession(repository, jobId) };
}
