import type { BucketState } from './token-buckets.ts';

/** The two headers of draft-ietf-httpapi-ratelimit-headers: lists of structured-field strings with parameters. */
export function rateLimitHeaders(states: readonly BucketState[]): Readonly<Record<string, string>> {
  return {
    'RateLimit-Policy': states
      .map(({ policy: { name, quota, windowMs } }) => `"${name}";q=${quota};w=${seconds(windowMs)}`)
      .join(', '),
    RateLimit: states
      .map(({ policy, remaining, resetMs }) => `"${policy.name}";r=${remaining};t=${seconds(resetMs)}`)
      .join(', '),
  };
}

function seconds(ms: number): number {
  return Math.ceil(ms / 1_000);
}
