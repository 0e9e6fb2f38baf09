import { describe, expect, it } from 'vitest';
import { toId } from '../../kernel/ids.ts';
import type { Actor } from '../auth/actor.ts';
import { addressKey } from './address-key.ts';
import { rateLimitHeaders } from './rate-limit-headers.ts';
import { RateLimiter } from './rate-limiter.ts';
import { TokenBuckets } from './token-buckets.ts';

const LIMITS = { perToken: 3, perTenant: 5, perAddress: 2, windowMs: 60_000 };

function actor(tokenId: string): Actor {
  return {
    tenantId: toId('018f0000-0000-7000-8000-000000000001'),
    tokenId: toId(tokenId),
    through: [],
    name: `token:${tokenId}`,
    permissions: new Set(),
    reach: 'SELF',
    address: null,
  };
}

const [ONE, TWO] = [actor('018f0000-0000-7000-8000-00000000000a'), actor('018f0000-0000-7000-8000-00000000000b')];

describe('a rate limiter', () => {
  it('counts against the token and the tenant, and says when there is more', () => {
    let time = 0;
    const limiter = new RateLimiter(LIMITS, () => time);
    const first = limiter.judge(ONE, '192.0.2.1');
    expect(first.refusal).toBeNull();
    expect(rateLimitHeaders(first.states)).toEqual({
      'RateLimit-Policy': '"token";q=3;w=60, "tenant";q=5;w=60',
      RateLimit: '"token";r=2;t=20, "tenant";r=4;t=12',
    });
    limiter.judge(ONE, null);
    limiter.judge(ONE, null);
    time = 5_000;
    const { refusal, states } = limiter.judge(ONE, null);
    expect(refusal).toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: 15_000, data: { policies: ['token'] } });
    expect(states.map(({ remaining }) => remaining)).toEqual([0, 2]);
    time = 20_000;
    expect(limiter.judge(ONE, null).refusal).toBeNull();
  });

  it('lets one token of a tenant go on while another has used up its own, until the tenant’s is used up', () => {
    const limiter = new RateLimiter(LIMITS, () => 0);
    const outcomes = [ONE, ONE, ONE, ONE, TWO, TWO, TWO].map(
      (who) => limiter.judge(who, null).refusal?.data['policies'],
    );
    expect(outcomes).toEqual([undefined, undefined, undefined, ['token'], undefined, undefined, ['tenant']]);
  });

  it('counts whoever has no valid credential by address, an IPv6 customer as one', () => {
    const limiter = new RateLimiter(LIMITS, () => 0);
    for (const address of ['2001:db8:0:7::1', '2001:db8:0:7:ffff::2']) {
      expect(limiter.judge(null, address).refusal).toBeNull();
    }
    expect(limiter.judge(null, '2001:0db8::7:0:0:0:3').refusal?.data['policies']).toEqual(['address']);
    expect(limiter.judge(null, '2001:db8:0:8::1').refusal).toBeNull();
    expect(limiter.judge(ONE, '2001:db8:0:7::1').refusal).toBeNull();
    expect(['192.0.2.1', '::1', null].map(addressKey)).toEqual(['192.0.2.1', '0:0:0:0', '']);
  });

  it('forgets whom it has not seen for longest before it takes more memory', () => {
    const buckets = new TokenBuckets({ name: 'address', quota: 2, windowMs: 1_000 }, () => 0, 2);
    for (const key of ['a', 'b', 'a', 'c']) {
      buckets.take(key);
    }
    expect(['a', 'b', 'c'].map((key) => buckets.look(key).remaining)).toEqual([0, 2, 1]);
  });
});
