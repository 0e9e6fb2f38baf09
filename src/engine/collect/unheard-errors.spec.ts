import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { AppError } from '../../kernel/errors.ts';
import { alterStore } from '../testing/alter-store.ts';
import { MemoryDisk } from '../testing/test-vault.ts';
import { createCollectVault, noise, type CollectVault } from './testing/collect-vault.ts';

// Lanes without threads: nothing here is about them, and threads take their time to start.
vi.mock('../worker/lane.ts', () => import('../testing/inline-lane.ts'));

let at: CollectVault;
const unheard: unknown[] = [];
const listen = (error: unknown): void => void unheard.push(error);

beforeEach(async () => {
  at = await createCollectVault();
  unheard.length = 0;
  // An error that nobody waits for ends the process, and with it what else that has to do.
  process.on('unhandledRejection', listen);
});

afterEach(async () => {
  process.off('unhandledRejection', listen);
  await at[Symbol.asyncDispose]();
});

test('a journal that can’t be read while others are still listed fails the collection, and is nobody else’s error', async () => {
  const sessionId = randomUUID();
  await at.repository.beginSession({ sessionId, pointId: randomUUID(), purpose: 'backup', pins: [] });
  const source = new MemoryDisk(noise(300_000));
  await at.repository.writeDisk({ sessionId, diskKey: 'xvda', sizeBytes: 300_000, source, sampleBytes: 0 });
  const { store } = at.vault;
  const isJournal = (name: string): boolean => name.startsWith(`sessions/${sessionId}.`);
  expect(at.named('sessions/').filter(isJournal)).not.toEqual([]);
  const slow = alterStore(store, {
    get: async (name, ...how) => {
      if (isJournal(name)) {
        throw new AppError('VAULT_UNREACHABLE', `Could not read ${name}.`);
      }
      return store.get(name, ...how);
    },
    list: async function* listing(prefix) {
      yield* store.list(prefix);
      await sleep(10);
    },
  });
  await using repository = await at.open({ store: slow });
  await expect(repository.collect()).rejects.toMatchObject({ code: 'VAULT_UNREACHABLE' });
  expect(unheard).toEqual([]);
});
