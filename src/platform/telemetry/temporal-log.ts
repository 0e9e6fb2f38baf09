import { DefaultLogger, type LogEntry } from '@temporalio/worker';
import { processLog } from './process-log.ts';

const NOT_WORTH_A_LINE: ReadonlySet<string> = new Set([
  // Said by the interceptor of activities, with tenant, job and code.
  'Activity failed',
  // A workflow fails as its activity did, or as its job's row says; a mistake of ours fails its task, which is told.
  'Workflow failed',
  // On purpose: a site's queue has activities only.
  'No workflows registered, not polling for workflow tasks',
]);

/** What Temporal's library has to say, in the process's log. */
export function temporalLog(): DefaultLogger {
  return new DefaultLogger('WARN', ({ level, message, meta }: LogEntry) => {
    const { error, ...rest } = { ...meta } as Readonly<Record<string, unknown>>;
    if (!NOT_WORTH_A_LINE.has(message)) {
      const line = { message, ...rest, ...(error === undefined ? {} : { err: error }) };
      processLog()[level === 'ERROR' ? 'error' : 'warn'](line, 'Temporal');
    }
  });
}
