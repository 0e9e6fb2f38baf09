import { afterEach, expect, test, vi } from 'vitest';
import { AppError, isAppError } from '../../kernel/errors.ts';
import { alterStore } from '../testing/alter-store.ts';
import { FAULT_SCHEDULES } from './testing/fault-schedules.ts';
import { runFaultSchedule } from './testing/run-fault-schedule.ts';
import { seedIdentifiers } from './testing/seeded-identifiers.ts';

/*
 * What an engine, or a store, could do wrong about errors that pass. Each must be found, or it counts for nothing that
 * nothing is found.
 */

type Misread = (error: unknown) => unknown;

const broken = vi.hoisted(() => ({ isPutWhileCopying: false, misread: ((error) => error) as Misread }));

vi.mock('./copy-frames.ts', async (original) => {
  const { copyFrames } = await original<typeof import('./copy-frames.ts')>();
  return {
    copyFrames: ((context, ...how) => {
      const { store } = context;
      const putIfAbsent: typeof store.putIfAbsent = async (...put) => {
        try {
          return await store.putIfAbsent(...put);
        } catch (error) {
          if (broken.isPutWhileCopying && isAppError(error) && error.data['errno'] === 'EIO') {
            return 'created';
          }
          throw error;
        }
      };
      return copyFrames({ ...context, store: alterStore(store, { putIfAbsent }) }, ...how);
    }) satisfies typeof copyFrames,
  };
});
vi.mock('./testing/failed-request.ts', async (original) => {
  const { failedRequest } = await original<typeof import('./testing/failed-request.ts')>();
  return {
    failedRequest: (async (...request) =>
      broken.misread(await failedRequest(...request))) satisfies typeof failedRequest,
  };
});
// Lanes without threads, and ids from the seed: a run is the same again.
vi.mock('../worker/lane.ts', () => import('../testing/inline-lane.ts'));
vi.mock('node:crypto', async (original) => {
  const { seededCrypto } = await import('./testing/seeded-identifiers.ts');
  return seededCrypto(original);
});

const missing: Misread = (error) =>
  isAppError(error) && typeof error.data['object'] === 'string'
    ? new AppError('VAULT_OBJECT_MISSING', 'Nobody answers.', { data: { object: error.data['object'] } })
    : error;

const raw: Misread = (error) => (isAppError(error) && error.cause !== undefined ? error.cause : error);

afterEach(() => {
  broken.isPutWhileCopying = false;
  broken.misread = (error) => error;
});

async function search(name: keyof typeof FAULT_SCHEDULES): Promise<void> {
  seedIdentifiers(1);
  await runFaultSchedule(FAULT_SCHEDULES[name], 1);
}

test('what could not be put while copying counts as copied', async () => {
  broken.isPutWhileCopying = true;
  await expect(search('a collection that copies')).rejects.toThrow(/is missing from the store/);
});

test('what can’t be read counts as gone', async () => {
  broken.misread = missing;
  await expect(search('a deletion')).rejects.toThrow(/is not in this vault/);
});

test('a store’s error comes out as the system’s', async () => {
  broken.misread = raw;
  await expect(search('a backup')).rejects.toThrow(/Error: EIO/);
});
