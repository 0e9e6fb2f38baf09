import { DefaultLogger, type LogEntry } from '@temporalio/worker';
import { processLog } from './process-log.ts';

/** Said by the interceptor of activities, with tenant, job and code. */
const SAID_ELSEWHERE = 'Activity failed';

/** What Temporal's library has to say, in the process's log. */
export function temporalLog(): DefaultLogger {
  return new DefaultLogger('WARN', ({ level, message, meta }: LogEntry) => {
    const { error, ...rest } = { ...meta } as Readonly<Record<string, unknown>>;
    if (message !== SAID_ELSEWHERE) {
      const line = { message, ...rest, ...(error === undefined ? {} : { err: error }) };
      processLog()[level === 'ERROR' ? 'error' : 'warn'](line, 'Temporal');
    }
  });
}
