import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { KIB, MIB } from '../../kernel/bytes.ts';
import { createTestVault } from '../testing/test-vault.ts';
import type { CommitPointRequest } from './point-types.ts';

type Facts = Partial<Pick<CommitPointRequest, 'vmId' | 'takenAt' | 'info' | 'config'>>;

async function commit(facts: Facts): Promise<string> {
  await using vault = await createTestVault();
  await using repository = await vault.open((same) => same, 1);
  const [sessionId, pointId] = [randomUUID(), randomUUID()];
  await repository.beginSession({ sessionId, pointId, purpose: 'backup', pins: [] });
  const common = { sessionId, pointId, vmId: 'vm', takenAt: 0, disks: [], config: new Uint8Array(0), info: {} };
  return (await repository.commitPoint({ ...common, ...facts })).vmId;
}

test.each<[string, Facts]>([
  ['a time after all times', { takenAt: 9e15 }],
  ['a part of a millisecond', { takenAt: 0.5 }],
  ['no number', { takenAt: Number.NaN }],
  ['a name of a book’s length', { vmId: 'é'.repeat(KIB) }],
  ['facts that are not small', { info: { log: 'x'.repeat(MIB) } }],
  ['a configuration as large as a disk', { config: new Uint8Array(32 * MIB + 1) }],
])('a point with %s is not committed', async (_, facts) => {
  await expect(commit(facts)).rejects.toMatchObject({ code: 'BAD_INPUT' });
});

test('the last time that there is, before the epoch too, and a configuration of some MiB are', async () => {
  expect(await commit({ takenAt: 8.64e15, config: new Uint8Array(5 * MIB) })).toBe('vm');
  expect(await commit({ takenAt: -8.64e15 })).toBe('vm');
});
