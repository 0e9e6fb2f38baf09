import type { EntityManager } from 'typeorm';
import type { QueryDeepPartialEntity } from 'typeorm/query-builder/QueryPartialEntity.js';
import { isFinished, statesBefore, type JobState } from './job-state.ts';
import { JobRow } from './job.entity.ts';

/**
 * Compare-and-set: the job moves to `state` if it is in a state that allows it, whoever else moves it at the same
 * moment. Null where it is not. Writes no event.
 */
export async function moveJob(
  em: EntityManager,
  { tenantId, id }: Pick<JobRow, 'tenantId' | 'id'>,
  state: JobState,
  changes: QueryDeepPartialEntity<JobRow>,
): Promise<JobRow | null> {
  const result = await em
    .createQueryBuilder()
    .update(JobRow)
    .set({
      ...changes,
      state,
      updatedAt: () => 'now()',
      version: () => 'version + 1',
      ...(isFinished(state) ? { finishedAt: () => 'now()' } : {}),
    })
    .where('tenant_id = :tenantId and id = :id and state in (:...from)', { tenantId, id, from: statesBefore(state) })
    .execute();
  return result.affected === 1 ? await em.findOneByOrFail(JobRow, { tenantId, id }) : null;
}
