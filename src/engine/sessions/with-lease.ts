import { LEASE_HEARTBEAT_MS } from '../ports/leases.ts';
import type { RepositoryContext } from '../repository-context.ts';

/** Renews a session's lease while the work goes on. `fail` is told when that is not possible. */
export async function withLease<T>(
  { leases, clock, repositoryId }: RepositoryContext,
  sessionId: string,
  fail: (error: unknown) => void,
  work: () => Promise<T>,
): Promise<T> {
  const ended = new AbortController();
  const beat = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      await clock.sleep(LEASE_HEARTBEAT_MS, ended.signal);
      await leases.beat({ repositoryId, sessionId });
    }
  };
  await leases.beat({ repositoryId, sessionId });
  beat().catch((error: unknown) => {
    if (!ended.signal.aborted) {
      fail(error);
    }
  });
  try {
    return await work();
  } finally {
    ended.abort();
  }
}
