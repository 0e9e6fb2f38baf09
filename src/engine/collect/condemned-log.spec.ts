import { randomBytes, randomUUID } from 'node:crypto';
import { beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../kernel/clock.ts';
import { deriveSecrets } from '../keys/key-schedule.ts';
import { MemoryStore } from '../testing/memory-store.ts';
import { CondemnedLog } from './condemned-log.ts';

const keys = { keyId: 'k', repositoryKey: randomBytes(32), dedupSecret: randomBytes(32) };
const secrets = deriveSecrets(keys, randomUUID().replaceAll('-', ''), 0);
const [a = '', b = '', c = '', d = ''] = Array.from({ length: 4 }, () => randomBytes(16).toString('hex'));

let store: MemoryStore;
let log: CondemnedLog;
const open = (): CondemnedLog => new CondemnedLog(store, secrets, systemClock);

beforeEach(() => {
  store = new MemoryStore();
  log = open();
});

test('what one condemns, others know after they asked; what was damaged is told apart', async () => {
  const other = open();
  await other.refresh();
  expect(other.last).toBe(0);
  expect(await log.append('unused', [a, b])).toBe(1);
  expect(await log.append('damaged', [c])).toBe(2);
  expect(other.has(a)).toBe(false);
  await other.refresh();
  expect([...other.packs()]).toEqual([a, b, c]);
  expect([...other.damaged()]).toEqual([c]);
  expect(other.has(d)).toBe(false);
  expect([other.last, other.gaps]).toEqual([2, 0]);
});

test('of two at one number, the second goes on to the next, and nothing is lost', async () => {
  await Promise.all([log.append('unused', [a]), open().append('unused', [b]), open().append('unused', [c])]);
  await log.refresh();
  expect(log.packs()).toEqual(new Set([a, b, c]));
  expect([...store.objects.keys()].toSorted()).toEqual(['condemned/1', 'condemned/2', 'condemned/3']);
});

test('a number is read once', async () => {
  await log.append('unused', [a]);
  store.objects.set('condemned/1', new Uint8Array(200));
  await log.refresh();
  expect(log.has(a)).toBe(true);
});

test('a list that shows a number and not the one before hides nothing', async () => {
  await open().append('unused', [a]);
  await open().append('unused', [b]);
  const list = store.list.bind(store);
  store.list = async function* hiding(prefix) {
    for await (const object of list(prefix)) {
      if (object.name !== 'condemned/1') {
        yield object;
      }
    }
  };
  await log.refresh();
  expect(log.packs()).toEqual(new Set([a, b]));
  expect(log.gaps).toBe(0);
});

test('numbers that were deleted before they were seen are counted, so that caches can be emptied', async () => {
  const [late, new1] = [open(), open()];
  await log.append('unused', [a]);
  await late.refresh();
  await log.append('unused', [b]);
  await log.append('unused', [c], { first: 3 });
  store.objects.delete('condemned/1');
  store.objects.delete('condemned/2');
  await late.refresh();
  await new1.refresh();
  expect([late.last, [...late.packs()]]).toEqual([3, [c]]);
  expect(late.gaps).toBeGreaterThan(0);
  expect([new1.gaps, new1.last, [...new1.packs()]]).toEqual([1, 3, [c]]);
  expect([...log.packs()]).toEqual([c]);
  expect(log.gaps).toBeGreaterThan(0);
});

test('from where on numbers count never goes back', async () => {
  await log.append('unused', [a]);
  await log.append('unused', [b]);
  await log.append('unused', [c], { first: 3 });
  const number = await open().append('damaged', [d]);
  expect(await log.read(number)).toMatchObject({ first: 3 });
});

test('an old number that a late request brings back is not believed', async () => {
  await log.append('unused', [a]);
  const old = store.objects.get('condemned/1') ?? new Uint8Array(0);
  await log.append('unused', [b], { first: 2 });
  store.objects.delete('condemned/1');
  store.objects.set('condemned/1', old);
  const fresh = open();
  await fresh.refresh();
  expect([...fresh.packs()]).toEqual([b]);
});

test('a number that does not open is passed over and counted, and the next one follows it', async () => {
  await log.append('unused', [a]);
  store.objects.get('condemned/1')?.fill(7, 70, 80);
  const other = open();
  expect(await other.append('unused', [b])).toBe(2);
  expect([other.gaps, [...other.packs()]]).toEqual([1, [b]]);
});

test('what somebody without keys puts far above keeps nobody from reading, and nothing from being condemned', async () => {
  await log.append('unused', [a]);
  const [genuine = new Uint8Array(0)] = store.objects.values();
  store.objects.set('condemned/2', new Uint8Array(300));
  store.objects.set('condemned/999999999999999', genuine);
  const fresh = open();
  await fresh.refresh();
  expect([fresh.last, [...fresh.packs()]]).toEqual([1, [a]]);
  expect(await fresh.append('unused', [b])).toBe(3);
  await log.refresh();
  expect([...log.packs()]).toEqual([a, b]);
  expect(await log.append('unused', [c])).toBe(4);
});

test('what others leave there is no number', async () => {
  store.objects.set('condemned/.nfs01', new Uint8Array(3));
  store.objects.set('condemned/01', new Uint8Array(3));
  store.objects.set('condemned/1.waits', new Uint8Array(3));
  expect(await log.append('unused', [])).toBe(1);
});
