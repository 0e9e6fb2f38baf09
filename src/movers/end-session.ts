import { isAppError } from '../kernel/errors.ts';
import type { Repository } from '../engine/index.ts';

/** A vault that can't be written to must not keep the pool from being cleaned; what stays there is named. */
export async function endSession(repository: Repository, sessionId: string): Promise<string[]> {
  try {
    await repository.endSession(sessionId);
    return [];
  } catch (error) {
    if (isAppError(error, 'VAULT_READ_ONLY', 'VAULT_FULL')) {
      return [`session ${sessionId} in the vault: ${error.message}`];
    }
    throw error;
  }
}

export function sessionInClosedVault(sessionId: string): string {
  return `session ${sessionId} in the vault: the right to its storage was revoked`;
}
