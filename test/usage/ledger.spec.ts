import { createHash, createPublicKey, randomUUID, verify } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { UsageBench } from './support/usage-bench.ts';

interface LedgerEntry {
  readonly id: string;
  readonly tenantId: string;
  readonly meter: string;
  readonly unit: string;
  readonly windowStart: string;
  readonly windowEnd: string;
  readonly revision: number;
  readonly quantity: string;
  readonly total: string;
  readonly reason: string;
  readonly billable: boolean;
  readonly billableReason: string;
  readonly keyId: string;
  readonly signature: string;
}

interface Reconciliation {
  readonly meter: string;
  readonly count: number;
  readonly sum: string;
  readonly firstWindowStart: string | null;
  readonly lastWindowEnd: string | null;
  readonly digest: string;
  readonly gaps: readonly { readonly from: string; readonly to: string }[];
}

let bench: UsageBench;

beforeAll(async () => {
  bench = await UsageBench.start();
});
beforeEach(async () => {
  await bench.bornAt('2026-03-01T09:20:00Z');
});
afterEach(async () => {
  await bench.rows('truncate app.usage_event, app.usage_record, app.usage_cursor, app.event, app.vault_size cascade');
  await bench.rows('truncate app.restore_point, app.job, app.vm, app.vault, app.storage_target cascade');
});
afterAll(async () => {
  await bench.stop();
});

async function ledger(meter?: string): Promise<LedgerEntry[]> {
  const filter = meter === undefined ? '' : `&meter=${meter}`;
  return (await bench.get<{ items: LedgerEntry[] }>(`/v1/usage/records?first=100${filter}`)).items;
}

async function eventTypes(): Promise<string[]> {
  return (await bench.rows<{ type: string }>('select type from app.event order by id')).map(({ type }) => type);
}

describe('the ledger', () => {
  it('has one entry per meter and window, once the grace has passed', async () => {
    await bench.use({ meter: 'restored_bytes', quantity: 700n, at: '2026-03-01T09:30:00Z' });
    await bench.use({ meter: 'restored_bytes', quantity: 300n, at: '2026-03-01T09:59:59.999Z' });
    await bench.use({ meter: 'restored_bytes', quantity: 50n, at: '2026-03-01T10:00:00Z' });
    expect(await bench.closeAt('2026-03-01T10:04:59Z')).toEqual({ windows: 0, corrections: 0 });
    expect(await bench.closeAt('2026-03-01T10:05:00Z')).toEqual({ windows: 1, corrections: 0 });
    expect(await ledger('restored_bytes')).toEqual([
      expect.objectContaining({
        unit: 'byte',
        windowStart: '2026-03-01T09:00:00.000Z',
        windowEnd: '2026-03-01T10:00:00.000Z',
        revision: 0,
        quantity: '1000',
        total: '1000',
        reason: 'WINDOW_CLOSED',
        billable: false,
        billableReason: 'INTERNAL',
      }),
    ]);
    expect(await ledger()).toHaveLength(10);
    expect(await eventTypes()).toEqual([...Array<string>(3).fill('usage.recorded'), 'usage.window.closed']);
  });

  it('is the same however often a window is closed and whoever closes it', async () => {
    await bench.use({ meter: 'restored_bytes', quantity: 5n, at: '2026-03-01T09:30:00Z' });
    await Promise.all(['2026-03-01T12:10:00Z', '2026-03-01T12:10:00Z'].map(async (time) => bench.closeAt(time)));
    const before = await ledger();
    expect(before).toHaveLength(30);
    expect(await bench.closeAt('2026-03-01T12:10:00Z')).toEqual({ windows: 0, corrections: 0 });
    await bench.rows('truncate app.usage_cursor, app.usage_record');
    await bench.closeAt('2026-03-01T12:10:00Z');
    const unchanging = (entry: LedgerEntry): unknown => ({ ...entry, recordedAt: null });
    expect((await ledger()).map(unchanging)).toEqual(before.map(unchanging));
  });

  it('counts a job once per meter, and tells of it once', async () => {
    const jobId = randomUUID();
    for (let i = 0; i < 3; i += 1) {
      await bench.use({ meter: 'backup_runs', quantity: 1n, at: '2026-03-01T09:30:00Z', jobId });
    }
    expect(await eventTypes()).toEqual(['usage.recorded']);
    const [event] = await bench.rows<{ data: object }>('select data from app.event');
    expect(event?.data).toMatchObject({ meter: 'backup_runs', quantity: '1', unit: 'run', provisional: true });
    await bench.closeAt('2026-03-01T10:05:00Z');
    expect(await ledger('backup_runs')).toEqual([expect.objectContaining({ total: '1' })]);
  });

  it('takes what comes late as a difference with a new total', async () => {
    await bench.use({ meter: 'replicated_bytes', quantity: 1_000n, at: '2026-03-01T09:30:00Z' });
    await bench.closeAt('2026-03-01T10:05:00Z');
    await bench.use({ meter: 'replicated_bytes', quantity: 250n, at: '2026-03-01T09:40:00Z' });
    expect(await bench.closeAt('2026-03-01T10:20:00Z')).toEqual({ windows: 0, corrections: 1 });
    expect(await bench.closeAt('2026-03-01T10:20:00Z')).toEqual({ windows: 0, corrections: 0 });
    expect(
      (await ledger('replicated_bytes'))
        .map(({ revision, quantity, total, reason }) => ({ revision, quantity, total, reason }))
        .toSorted((a, b) => a.revision - b.revision),
    ).toEqual([
      { revision: 0, quantity: '1000', total: '1000', reason: 'WINDOW_CLOSED' },
      { revision: 1, quantity: '250', total: '1250', reason: 'CORRECTION' },
    ]);
    await bench.rows(`delete from app.usage_event where quantity = 1000`);
    await bench.closeAt('2026-03-01T10:30:00Z');
    const newest = (await ledger('replicated_bytes')).find(({ revision }) => revision === 2);
    expect(newest).toMatchObject({ quantity: '-1000', total: '250' });
    expect((await eventTypes()).filter((type) => type === 'usage.corrected')).toHaveLength(2);
  });

  it('finds late usage although its transaction began before the window was closed', async () => {
    await bench.closeAt('2026-03-01T10:05:00Z');
    const jobId = await bench.use({ meter: 'restored_bytes', quantity: 9n, at: '2026-03-01T09:40:00Z' });
    await bench.rows(`update app.usage_event set recorded_at = recorded_at - interval '1 hour' where job_id = $1`, [
      jobId,
    ]);
    expect(await bench.closeAt('2026-03-01T10:20:00Z')).toMatchObject({ corrections: 1 });
  });

  it('is signed so that a published key and what clients see are enough to check it', async () => {
    await bench.use({ meter: 'restored_bytes', quantity: 7n, at: '2026-03-01T09:30:00Z' });
    await bench.closeAt('2026-03-01T10:05:00Z');
    const keys = await bench.get<{ items: { keyId: string; publicKey: string }[] }>('/v1/usage/signing-keys');
    const key = createPublicKey(keys.items[0]?.publicKey ?? '');
    const check = (entry: LedgerEntry): boolean => {
      const { id, tenantId, meter, unit, windowStart, windowEnd, revision, quantity, total } = entry;
      const fields = [id, tenantId, meter, unit, windowStart, windowEnd, revision, quantity, total];
      const last = [entry.reason, entry.billable, entry.billableReason];
      const text = ['holdfast-usage-1', ...fields, ...last].map((field) => `${field}\n`).join('');
      return verify(null, Buffer.from(text), key, Buffer.from(entry.signature, 'base64'));
    };
    const entries = await ledger();
    expect(entries.map(check)).toEqual(entries.map(() => true));
    expect(entries.map(({ keyId }) => keyId)).toEqual(entries.map(() => keys.items[0]?.keyId));
    expect(entries.map((entry) => check({ ...entry, total: `${entry.total}0` }))).toEqual(entries.map(() => false));
  });

  it('says per meter what another ledger must come to, and where windows are missing', async () => {
    await bench.use({ meter: 'restored_bytes', quantity: 10n, at: '2026-03-01T09:30:00Z' });
    await bench.use({ meter: 'restored_bytes', quantity: 20n, at: '2026-03-01T11:30:00Z' });
    await bench.closeAt('2026-03-01T13:05:00Z');
    await bench.use({ meter: 'restored_bytes', quantity: 5n, at: '2026-03-01T11:40:00Z' });
    await bench.closeAt('2026-03-01T13:06:00Z');
    await bench.rows(
      `delete from app.usage_record where meter = 'restored_bytes' and window_start = '2026-03-01T10:00:00Z'`,
    );
    const { items } = await bench.get<{ items: Reconciliation[] }>('/v1/usage/reconcile');
    const entries = await ledger('restored_bytes');
    const ids = entries.map(({ id }) => `${id}\n`).toSorted();
    expect(items.find(({ meter }) => meter === 'restored_bytes')).toMatchObject({
      count: 4,
      sum: '35',
      firstWindowStart: '2026-03-01T09:00:00.000Z',
      lastWindowEnd: '2026-03-01T13:00:00.000Z',
      digest: createHash('sha256').update(ids.join('')).digest('hex'),
      gaps: [{ from: '2026-03-01T10:00:00.000Z', to: '2026-03-01T11:00:00.000Z' }],
    });
    expect(items.filter(({ gaps }) => gaps.length > 0)).toHaveLength(1);
  });
});
