/** So many requests in so long; unused ones may be made up for, up to one window's worth. */
export interface RatePolicy {
  /** As the RateLimit headers call it. */
  readonly name: string;
  readonly quota: number;
  readonly windowMs: number;
}

export interface BucketState {
  readonly policy: RatePolicy;
  /** Whole requests that are left now. */
  readonly remaining: number;
  /** Until the bucket is full again. */
  readonly resetMs: number;
  /** Until one more request is left; 0 where one is. */
  readonly retryAfterMs: number;
}

interface Bucket {
  readonly level: number;
  readonly at: number;
}

/** Beyond these, those that were used longest ago are forgotten: memory is bounded whoever asks. */
const MOST_BUCKETS = 100_000;

/** One policy's buckets, one for each key, in this process's memory. */
export class TokenBuckets {
  readonly #buckets = new Map<string, Bucket>();

  constructor(
    readonly policy: RatePolicy,
    private readonly now: () => number,
    private readonly most = MOST_BUCKETS,
  ) {}

  look(key: string): BucketState {
    const { quota, windowMs } = this.policy;
    const level = this.#level(key);
    const msPerRequest = windowMs / quota;
    return {
      policy: this.policy,
      remaining: Math.floor(level),
      resetMs: (quota - level) * msPerRequest,
      retryAfterMs: Math.max(0, (1 - level) * msPerRequest),
    };
  }

  /** Uses one request up. */
  take(key: string): void {
    const level = this.#level(key) - 1;
    this.#buckets.delete(key);
    this.#buckets.set(key, { level, at: this.now() });
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size > this.most && oldest !== undefined) {
      this.#buckets.delete(oldest);
    }
  }

  #level(key: string): number {
    const { quota, windowMs } = this.policy;
    const bucket = this.#buckets.get(key);
    return bucket === undefined ? quota : Math.min(quota, bucket.level + ((this.now() - bucket.at) * quota) / windowMs);
  }
}
