import { expect, test } from 'vitest';
import type { Store } from '../ports/store.ts';
import type { RepositoryContext } from '../repository-context.ts';
import { MemoryStore } from '../testing/memory-store.ts';
import { RetainingStore } from '../testing/retaining-store.ts';
import { lockPacksUntil } from './locking-store.ts';
import { endOfWindow } from './retention-window.ts';

const UNTIL = 1_900_000_000_000;

const lock = (store: Store, until: number | undefined = UNTIL): Store =>
  lockPacksUntil({ store } as RepositoryContext, until).store;

test('packs are put until the end of the window, and nothing else', async () => {
  const store = new RetainingStore();
  const locking = lock(store);
  for (const name of ['data/a/1', 'meta/b/2', 'index/3', 'journal/data/4', 'points/5']) {
    expect(await locking.putIfAbsent(name, [new Uint8Array(1)])).toBe('created');
  }
  expect([...store.locks]).toEqual([
    ['data/a/1', endOfWindow(UNTIL)],
    ['meta/b/2', endOfWindow(UNTIL)],
  ]);
});

test('what writers left aside is removed through it too', async () => {
  const asked: unknown[] = [];
  const store = Object.assign(new RetainingStore(), {
    removeLeftovers: async (...args: unknown[]): Promise<number> => {
      asked.push(args);
      return 3;
    },
  });
  expect(await lock(store).removeLeftovers?.(7, 8)).toBe(3);
  expect(asked).toEqual([[7, 8]]);
});

test('without a date, or where nothing can be locked, the store stays as it is', () => {
  const [retaining, memory] = [new RetainingStore(), new MemoryStore()];
  const { store } = lockPacksUntil({ store: retaining } as unknown as RepositoryContext, undefined);
  expect(store).toBe(retaining);
  expect(lock(memory)).toBe(memory);
});
