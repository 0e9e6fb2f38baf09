import { AppError } from '../../kernel/errors.ts';
import type { Actor } from '../auth/actor.ts';
import { addressKey } from './address-key.ts';
import { TokenBuckets, type BucketState } from './token-buckets.ts';

/** Requests in one window. */
export interface RateLimits {
  readonly perToken: number;
  /** Of all tokens of one tenant together. */
  readonly perTenant: number;
  /** Of requests without a valid credential. */
  readonly perAddress: number;
  readonly windowMs: number;
}

export interface RateVerdict {
  /** Every limit that the request counted against. */
  readonly states: readonly BucketState[];
  /** RATE_LIMITED, or null where the request may go on. */
  readonly refusal: AppError | null;
}

/** Counts requests against their token and tenant, or, where no valid credential came, against their address. */
export class RateLimiter {
  readonly #token: TokenBuckets;
  readonly #tenant: TokenBuckets;
  readonly #address: TokenBuckets;

  constructor(limits: RateLimits, now: () => number = () => performance.now()) {
    const buckets = (name: string, quota: number): TokenBuckets =>
      new TokenBuckets({ name, quota, windowMs: limits.windowMs }, now);
    this.#token = buckets('token', limits.perToken);
    this.#tenant = buckets('tenant', limits.perTenant);
    this.#address = buckets('address', limits.perAddress);
  }

  /** A request that is refused uses nothing up. */
  judge(actor: Actor | null, address: string | null): RateVerdict {
    const counted = this.#bucketsFor(actor, address);
    const empty = counted.map(({ buckets, key }) => buckets.look(key)).filter(({ remaining }) => remaining < 1);
    if (empty.length === 0) {
      for (const { buckets, key } of counted) {
        buckets.take(key);
      }
    }
    return {
      states: counted.map(({ buckets, key }) => buckets.look(key)),
      refusal: empty.length === 0 ? null : refusal(empty),
    };
  }

  #bucketsFor(
    actor: Actor | null,
    address: string | null,
  ): readonly { readonly buckets: TokenBuckets; readonly key: string }[] {
    if (actor === null) {
      return [{ buckets: this.#address, key: addressKey(address) }];
    }
    const tenant = { buckets: this.#tenant, key: actor.tenantId };
    return actor.tokenId === null ? [tenant] : [{ buckets: this.#token, key: actor.tokenId }, tenant];
  }
}

function refusal(empty: readonly BucketState[]): AppError {
  const names = empty.map(({ policy }) => policy.name);
  return new AppError('RATE_LIMITED', `Too many requests of this ${names.join(' and ')}.`, {
    data: { policies: names },
    retryAfterMs: Math.max(...empty.map(({ retryAfterMs }) => retryAfterMs)),
  });
}
