import { setTimeout as delay } from 'node:timers/promises';
import type { GraphqlClient } from '../clients/graphql.ts';
import { JobFeed } from '../clients/live-progress.ts';
import type { Teller } from '../console/teller.ts';
import { mustHold } from '../story.ts';

export interface JobResult {
  readonly restorePointId: string | null;
  readonly consistency: string | null;
  readonly bytesRead: string | null;
  readonly bytesStored: string | null;
  readonly bytesWritten: string | null;
  readonly restoredVmUuid: string | null;
}

interface SeenJob {
  readonly id: string;
  readonly kind: string;
  readonly state: string;
  readonly warnings: readonly string[];
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly result: JobResult | null;
}

const JOB = `query ($id: ID!) { job(id: $id) { id kind state warnings error { code message }
  result { restorePointId consistency bytesRead bytesStored bytesWritten restoredVmUuid } } }`;
const OPEN = new Set(['QUEUED', 'RUNNING', 'CANCELLING']);

/**
 * Follows a job to its end; anything but success is thrown. Its progress comes live over a subscription; how it ended is
 * asked of its row, which is the truth.
 */
export async function waitForJob(api: GraphqlClient, id: string, teller: Teller): Promise<JobResult | null> {
  const progress = teller.progress();
  const feed = new JobFeed(api, id, ({ phase, bytesDone, bytesTotal, bytesPerSecond }) => {
    progress.show({
      phase,
      bytesDone: Number(bytesDone),
      bytesTotal: Number(bytesTotal),
      bytesPerSecond: Number(bytesPerSecond),
    });
  });
  try {
    for (;;) {
      const { job } = await api.query<{ job: SeenJob }>(JOB, { id });
      if (!OPEN.has(job.state)) {
        mustHold(feed.messages > 0, `the progress of ${job.kind} came live`);
        return resultOf(job);
      }
      await delay(250);
    }
  } finally {
    feed.close();
    progress.end();
  }
}

function resultOf({ id, kind, state, error, warnings, result }: SeenJob): JobResult | null {
  if (state === 'SUCCEEDED') {
    return result;
  }
  const why = error === null ? warnings.join('; ') : `${error.code}: ${error.message}`;
  throw new Error(`${kind} ${id} ended as ${state}: ${why}`);
}
