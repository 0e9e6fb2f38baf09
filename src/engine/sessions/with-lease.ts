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

export interface LeaseRequest {
  readonly sessionId?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The same for readers, as far as they say who they are: `work` is cancelled when the lease can't be renewed. */
export async function withReaderLease<T>(
  context: RepositoryContext,
  { sessionId, signal }: LeaseRequest,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const own = controller.signal;
  const both = signal === undefined ? own : AbortSignal.any([signal, own]);
  if (sessionId === undefined) {
    return work(both);
  }
  try {
    return await withLease(
      context,
      sessionId,
      (error) => controller.abort(error),
      () => work(both),
    );
  } catch (error) {
    throw own.aborted ? own.reason : error;
  }
}
