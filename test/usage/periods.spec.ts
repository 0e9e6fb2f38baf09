import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { UsageBench } from './support/usage-bench.ts';

interface Quantities {
  readonly meter: string;
  readonly sum: string;
  readonly current: string | null;
  readonly average: string | null;
  readonly peak: string | null;
}

interface Period {
  readonly id: string;
  readonly periodStart: string;
  readonly periodEnd: string;
  readonly entries: number;
  readonly digest: string;
  readonly quantities: readonly Quantities[];
}

interface Entry {
  readonly id: string;
  readonly periodStart: string;
  readonly windowStart: string;
}

let bench: UsageBench;

beforeAll(async () => {
  bench = await UsageBench.start();
});
beforeEach(async () => {
  await bench.bornAt('2026-03-31T22:00:00Z');
  await bench.use({ meter: 'restored_bytes', quantity: 700n, at: '2026-03-31T22:30:00Z' });
  await bench.use({ meter: 'restored_bytes', quantity: 301n, at: '2026-03-31T23:30:00Z' });
});
afterEach(async () => {
  await bench.rows('truncate app.usage_event, app.usage_record, app.usage_cursor, app.usage_period, app.event cascade');
});
afterAll(async () => {
  await bench.stop();
});

async function periods(): Promise<readonly Period[]> {
  return (await bench.get<{ items: Period[] }>('/v1/usage/periods')).items;
}

async function entries(): Promise<readonly Entry[]> {
  return (await bench.get<{ items: Entry[] }>('/v1/usage/records?first=100')).items;
}

const GRACE_IS_OVER = '2026-04-04T00:00:00Z';

describe('a period', () => {
  it('becomes final once its windows are closed and the grace is over, with its quantities and a digest', async () => {
    await bench.closeAt('2026-03-31T23:05:00Z');
    expect(await bench.finalizeAt(GRACE_IS_OVER)).toBe(0);
    await bench.closeAt('2026-04-01T00:05:00Z');
    expect(await bench.finalizeAt('2026-04-03T23:59:59Z')).toBe(0);
    expect(await periods()).toEqual([]);
    expect(await bench.finalizeAt(GRACE_IS_OVER)).toBe(1);
    const [march, ...others] = await periods();
    expect(others).toEqual([]);
    const ids = (await entries()).map(({ id }) => `${id}\n`).toSorted();
    expect(march).toMatchObject({
      id: expect.stringMatching(/^usp_/),
      periodStart: '2026-03-01T00:00:00.000Z',
      periodEnd: '2026-04-01T00:00:00.000Z',
      entries: 20,
      digest: createHash('sha256').update(ids.join('')).digest('hex'),
    });
    expect(march?.quantities.find(({ meter }) => meter === 'restored_bytes')).toEqual({
      meter: 'restored_bytes',
      unit: 'byte',
      sum: '1001',
      current: '301',
      average: '500.500',
      peak: '700',
    });
  });

  it('is finalised once, whoever does it, and told', async () => {
    await bench.closeAt('2026-04-01T00:05:00Z');
    const rounds = await Promise.all([1, 2, 3].map(async () => await bench.finalizeAt(GRACE_IS_OVER)));
    expect(rounds.reduce((sum, closed) => sum + closed, 0)).toBe(1);
    const [period] = await periods();
    const told = await bench.rows<{ data: object }>(`select data from app.event where type = 'usage.period.finalized'`);
    expect(told).toEqual([
      { data: expect.objectContaining({ entries: 20, digest: period?.digest, periodStart: period?.periodStart }) },
    ]);
  });

  it('that is final keeps its entries: what comes late goes into the next one', async () => {
    await bench.closeAt('2026-04-01T00:05:00Z');
    await bench.use({ meter: 'restored_bytes', quantity: 9n, at: '2026-03-31T22:40:00Z' });
    expect(await bench.closeAt('2026-04-01T00:06:00Z')).toEqual({ windows: 0, corrections: 1 });
    expect((await entries()).map(({ periodStart }) => periodStart)).toEqual(
      Array.from({ length: 21 }, () => '2026-03-01T00:00:00.000Z'),
    );
    await bench.finalizeAt(GRACE_IS_OVER);
    const before = await periods();
    expect(before).toMatchObject([{ entries: 21 }]);
    await bench.use({ meter: 'restored_bytes', quantity: 50n, at: '2026-03-31T22:50:00Z' });
    await bench.closeAt('2026-04-01T00:07:00Z');
    const late = (await entries()).filter(({ periodStart }) => periodStart !== '2026-03-01T00:00:00.000Z');
    expect(late).toMatchObject([
      { windowStart: '2026-03-31T22:00:00.000Z', periodStart: '2026-04-01T00:00:00.000Z', revision: 2, quantity: '50' },
    ]);
    expect(await bench.finalizeAt(GRACE_IS_OVER)).toBe(0);
    expect(await periods()).toEqual(before);
  });
});

describe('quantities', () => {
  it('are of the windows that start within the span', async () => {
    await bench.closeAt('2026-04-01T00:05:00Z');
    const of = async (query: string): Promise<Quantities | undefined> => {
      const { items } = await bench.get<{ items: Quantities[] }>(`/v1/usage/quantities${query}`);
      return items.find(({ meter }) => meter === 'restored_bytes');
    };
    expect(await of('')).toMatchObject({ sum: '1001', current: '301', average: '500.500', peak: '700' });
    const first = '?from=2026-03-31T22:00:00Z&to=2026-03-31T23:00:00Z';
    expect(await of(first)).toMatchObject({ sum: '700', current: '700', average: '700.000', peak: '700' });
    const none = { sum: '0', current: null, average: null, peak: null };
    expect(await of('?from=2027-01-01T00:00:00Z')).toMatchObject(none);
  });
});
