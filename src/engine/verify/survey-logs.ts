import { isAppError, type AppError } from '../../kernel/errors.ts';
import { surveyCondemned } from '../collect/survey-condemned.ts';
import type { RepositoryContext } from '../repository-context.ts';
import { readEpoch } from '../sessions/epoch.ts';
import { isUnreadable, orDamage } from './diagnose.ts';
import type { DamagedObject, ObjectProblem } from './verify-types.ts';

/**
 * Damage to what is condemned, and to the epoch. It costs no restore point anything, and readers go on without. Learns
 * what is condemned, as far as it can be read.
 */
export async function surveyLogs(context: RepositoryContext): Promise<DamagedObject[]> {
  const errors = [...(await surveyCondemned(context)), await orDamage(readEpoch(context.store, context.secrets))];
  return errors.filter((error) => isAppError(error)).map(describe);
}

function describe(error: AppError): DamagedObject {
  return { name: String(error.data['object']), problem: problemOf(error), message: error.message, lostFrames: [] };
}

function problemOf(error: AppError): ObjectProblem {
  if (isUnreadable(error)) {
    return 'unreadable';
  }
  return isAppError(error, 'VAULT_OBJECT_MISSING') ? 'missing' : 'changed';
}
