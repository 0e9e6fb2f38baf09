import type { NewEvent } from '../../platform/mutations/event-writer.ts';
import { toGlobalId } from '../../kernel/global-id.ts';
import { eventOf } from './job-state.ts';
import type { JobRow } from './job.entity.ts';

/** What webhooks learn of a job's change of state. */
export function jobEvent(job: JobRow): NewEvent {
  const { tenantId, id, kind, state, vmId, errorCode } = job;
  return {
    type: eventOf(state),
    subject: { type: 'Job', tenantId, id },
    data: {
      jobId: toGlobalId('Job', tenantId, id),
      kind,
      state,
      vmId: vmId === null ? null : toGlobalId('Vm', tenantId, vmId),
      errorCode,
    },
  };
}
