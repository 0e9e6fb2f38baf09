import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { KIB } from '../../kernel/bytes.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { MemoryDisk, restore, sameBytes } from '../testing/test-vault.ts';
import { createCollectVault, noise, type CollectVault } from './testing/collect-vault.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let at: CollectVault;

beforeEach(async () => {
  at = await createCollectVault();
});

afterEach(() => at[Symbol.asyncDispose]());

function flip(name: string, fromEnd: number): void {
  const data = (at.vault.objects.get(name) ?? new Uint8Array(0)).slice();
  data[data.length - fromEnd] = (data[data.length - fromEnd] ?? 0) ^ 4;
  at.vault.objects.set(name, data);
}

test('what a number says that can’t be read any more deletes nothing; its packs are condemned again', async () => {
  const data = noise(300 * KIB);
  const gone = await at.store(data);
  await at.repository.deletePoint(gone);
  expect((await at.repository.collect()).condemned.packs).toBeGreaterThan(0);
  at.clock.advance(HOUR);
  await at.repository.collect();
  expect(at.named('condemned/')).toContain('condemned/1.waits');
  at.clock.advance(2 * DAY);
  flip('condemned/1', 90);
  // Knows nothing of the number.
  await using other = await at.open();
  const ids = { sessionId: randomUUID(), pointId: randomUUID() };
  await other.beginSession({ ...ids, purpose: 'backup', pins: [] });
  const source = new MemoryDisk(data);
  const disk = await other.writeDisk({ ...ids, diskKey: 'xvda', sizeBytes: data.length, source });
  expect(disk.chunksNew).toBe(0);
  await at.repository.collect();
  const rest = { vmId: 'vm', takenAt: 0, disks: [disk], config: new Uint8Array(0), info: {} };
  await other.commitPoint({ ...ids, ...rest });
  await other.endSession(ids.sessionId);
  at.clock.advance(2 * DAY);
  await at.repository.collect();
  await using fresh = await at.open();
  expect(sameBytes(await restore(fresh, ids.pointId, 'xvda'), data)).toBe(true);

  await at.repository.deletePoint(ids.pointId);
  await at.repository.collect();
  at.clock.advance(2 * DAY);
  await at.repository.collect();
  expect(at.named('data/')).toEqual([]);
});

test('damaged waits keep packs no longer than until they are condemned again', async () => {
  const gone = await at.store(noise(300 * KIB));
  await at.repository.deletePoint(gone);
  await at.repository.collect();
  at.clock.advance(HOUR);
  await at.repository.collect();
  flip('condemned/1.waits', 90);
  at.clock.advance(2 * DAY);
  await at.repository.collect();
  at.clock.advance(2 * DAY);
  await at.repository.collect();
  expect([at.named('data/'), at.named('meta/')]).toEqual([[], []]);
});

test('a clock that was ahead when packs were condemned does not keep them for years', async () => {
  const gone = await at.store(noise(300 * KIB));
  await at.repository.deletePoint(gone);
  const ahead = new ManualClock();
  ahead.advance(4000 * DAY);
  await using wrong = await at.open({ clock: ahead });
  expect((await wrong.collect()).condemned.packs).toBeGreaterThan(0);
  await at.repository.collect();
  at.clock.advance(2 * DAY);
  await at.repository.collect();
  expect([at.named('data/'), at.named('meta/')]).toEqual([[], []]);
});

test('a session that can’t be read stops collection for as long as it is alive', async () => {
  const data = noise(300 * KIB);
  const kept = await at.store(data);
  const gone = await at.store(noise(300 * KIB));
  const reader = { sessionId: randomUUID(), pointId: randomUUID(), purpose: 'restore' as const, pins: [gone] };
  await at.repository.beginSession(reader);
  await at.repository.deletePoint(gone);
  flip(`sessions/${reader.sessionId}`, 90);
  const result = await at.repository.collect({ graceMs: 0 });
  expect(result.unreadable).toEqual([`sessions/${reader.sessionId}`]);
  expect(result.deleted.points + result.condemned.packs).toBe(0);
  at.clock.advance(HOUR);
  expect((await at.repository.collect({ graceMs: 0 })).deleted.points).toBe(1);
  expect(at.named('sessions/')).toEqual([]);
  expect(sameBytes(await restore(at.repository, kept, 'xvda'), data)).toBe(true);
});
