import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { limit } from '../../src/kernel/limit.ts';
import type { Store, StoredObject } from '../../src/engine/index.ts';

export interface StoreUnderTest {
  readonly store: Store;
  /** Another client of the same place, as another process would have it. */
  readonly other: Store;
  close(): Promise<void>;
}

export async function listed(store: Store, prefix: string): Promise<StoredObject[]> {
  const objects: StoredObject[] = [];
  for await (const object of store.list(prefix)) {
    objects.push(object);
  }
  return objects.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

export async function namesIn(store: Store, prefix: string): Promise<string[]> {
  return (await listed(store, prefix)).map(({ name }) => name);
}

/** What the engine relies on, the same for every kind of store. `many`: objects for a list of several answers. */
export function testStore(open: () => Promise<StoreUnderTest>, { many = 2100 } = {}): void {
  let place: StoreUnderTest;
  let store: Store;

  beforeAll(async () => {
    place = await open();
    store = place.store;
  });

  afterAll(() => place.close());

  test('what was put is got, by everybody', async () => {
    const parts = [Buffer.from('one '), new Uint8Array(0), Buffer.from('and two')];
    expect(await store.putIfAbsent('a/b/c', parts)).toBe('created');
    await store.flush();
    expect(Buffer.from(await place.other.get('a/b/c')).toString()).toBe('one and two');
    expect(await place.other.head('a/b/c')).toEqual({ name: 'a/b/c', sizeBytes: 11 });
  });

  test('an object is never replaced', async () => {
    expect(await store.putIfAbsent('once', [Buffer.from('first')])).toBe('created');
    expect(await place.other.putIfAbsent('once', [Buffer.from('second, longer')])).toBe('exists');
    expect(Buffer.from(await store.get('once')).toString()).toBe('first');
  });

  test('of many who put the same name at once, exactly one creates it, and its bytes stand', async () => {
    for (let round = 0; round < 20; round += 1) {
      const name = `race/${round}`;
      const bodies = Array.from({ length: 8 }, () => randomBytes(1000));
      const outcomes = await Promise.all(
        bodies.map((body, i) => (i % 2 === 0 ? store : place.other).putIfAbsent(name, [body])),
      );
      const winners = bodies.filter((_, i) => outcomes[i] === 'created');
      expect(winners).toHaveLength(1);
      expect(Buffer.from(await store.get(name))).toEqual(winners[0]);
    }
  });

  test('what is larger than its reader takes is refused, and what is as large is got', async () => {
    await store.putIfAbsent('sized', [randomBytes(1000)]);
    expect(await store.get('sized', { maxBytes: 1000 })).toHaveLength(1000);
    await expect(store.get('sized', { maxBytes: 999 })).rejects.toMatchObject({
      code: 'VAULT_CORRUPT',
      data: { object: 'sized', sizeBytes: 1000, maxBytes: 999 },
    });
    expect(await store.get('sized')).toHaveLength(1000);
  });

  test('ranges are filled exactly', async () => {
    const body = randomBytes(10_000);
    await store.putIfAbsent('ranges', [body]);
    for (const [offset, length] of [
      [0, 1],
      [1, 9999],
      [9999, 1],
      [5000, 0],
      [0, 10_000],
    ] as const) {
      const into = new Uint8Array(length);
      await store.getRange('ranges', offset, into);
      expect(Buffer.from(into)).toEqual(body.subarray(offset, offset + length));
    }
    await expect(store.getRange('ranges', 9999, new Uint8Array(2))).rejects.toMatchObject({ code: 'VAULT_CORRUPT' });
  });

  test('ranges are filled in memory that threads share', async () => {
    await store.putIfAbsent('shared', [Buffer.from('0123456789')]);
    const into = new Uint8Array(new SharedArrayBuffer(8), 2, 4);
    await store.getRange('shared', 3, into);
    expect(Buffer.from(into).toString()).toBe('3456');
  });

  test('what is not there is said to be missing', async () => {
    expect(await store.head('no/such')).toBe(null);
    const missing = { code: 'VAULT_OBJECT_MISSING', data: { object: 'no/such' } };
    await expect(store.get('no/such')).rejects.toMatchObject(missing);
    await expect(store.getRange('no/such', 0, new Uint8Array(1))).rejects.toMatchObject(missing);
    expect(await namesIn(store, 'no/')).toEqual([]);
  });

  test('lists hold what begins with the prefix, whole folders and parts of a name', async () => {
    for (const name of ['list/aa/one', 'list/aa/two', 'list/ab/one', 'list/b', 'lists']) {
      await store.putIfAbsent(name, [Buffer.from(name)]);
    }
    expect(await namesIn(place.other, 'list/')).toEqual(['list/aa/one', 'list/aa/two', 'list/ab/one', 'list/b']);
    expect(await namesIn(store, 'list/a')).toEqual(['list/aa/one', 'list/aa/two', 'list/ab/one']);
    expect(await namesIn(store, 'list/aa/t')).toEqual(['list/aa/two']);
    expect(await namesIn(store, '')).toEqual(expect.arrayContaining(['list/b', 'lists']));
    for await (const { name, sizeBytes } of store.list('list/')) {
      expect(sizeBytes).toBe(name.length);
    }
  });

  test('lists of more objects than one answer holds are whole, each name once', async () => {
    const names = Array.from({ length: many }, (_, i) => `many/${String(i % 16)}/${i}`);
    const turn = limit(32);
    await Promise.all(names.map((name) => turn(() => store.putIfAbsent(name, [Buffer.from(name)]))));
    await store.flush();
    expect(await namesIn(place.other, 'many/')).toEqual(names.toSorted());
    expect(await namesIn(place.other, 'many/3/')).toHaveLength(Math.ceil((many - 3) / 16));
  });

  test('a list while others put and delete holds what was there all the time, once', async () => {
    const names = await namesIn(store, 'many/');
    const [passing, kept] = [names.filter((_, i) => i % 7 === 3), names.filter((_, i) => i % 7 !== 3)];
    const seen: string[] = [];
    for await (const { name } of store.list('many/')) {
      seen.push(name);
      if (seen.length % 20 === 1) {
        await place.other.putIfAbsent(`many/${seen.length % 16}/added-${seen.length}`, [Buffer.from('x')]);
        await place.other.delete(passing.pop() ?? 'none');
        await place.other.delete(passing.shift() ?? 'none');
      }
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toEqual(expect.arrayContaining(kept));
  });

  test('what was deleted is gone, its name is free, and deleting again is fine', async () => {
    await store.putIfAbsent('gone', [Buffer.from('x')]);
    await place.other.delete('gone');
    await store.delete('gone');
    expect(await store.head('gone')).toBe(null);
    expect(await store.putIfAbsent('gone', [Buffer.from('y')])).toBe('created');
  });

  test('an empty object and one of many megabytes are stored whole', async () => {
    const large = randomBytes(9 * 1024 * 1024 + 1);
    await store.putIfAbsent('large', [large.subarray(0, 5_000_000), large.subarray(5_000_000)]);
    await store.putIfAbsent('empty', []);
    expect(Buffer.compare(await place.other.get('large'), large)).toBe(0);
    expect(await store.head('empty')).toEqual({ name: 'empty', sizeBytes: 0 });
  });

  test('a name that leaves the store is refused', async () => {
    for (const name of ['', '/etc/passwd', '../out', 'a/../../b', 'a//b', 'a/', '.aside/x']) {
      await expect(store.putIfAbsent(name, [])).rejects.toMatchObject({ code: 'BAD_INPUT' });
    }
  });

  test('a put that was given up leaves nothing', async () => {
    await expect(
      store.putIfAbsent('aborted', [Buffer.from('x')], { signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({
      code: 'CANCELLED',
    });
    expect(await store.head('aborted')).toBe(null);
  });
}
