import { createCipheriv } from 'node:crypto';
import { AppError } from '../../../kernel/errors.ts';
import { KIB } from '../../../kernel/bytes.ts';
import { openRepository } from '../../open-repository.ts';
import type { KeyRing, RepositoryKeys } from '../../ports/key-ring.ts';
import type { Leases } from '../../ports/leases.ts';
import type { Store } from '../../ports/store.ts';
import type { ManualClock } from '../../testing/manual-clock.ts';
import type { ChunkingParameters } from '../../repository-options.ts';
import type { Repository } from '../../repository.ts';

/** Three chunks a stretch, about nine a pack. */
export const MODEL_PARAMETERS: ChunkingParameters = {
  blockBytes: 4 * KIB,
  minChunkBytes: 4 * KIB,
  averageChunkBytes: 8 * KIB,
  maxChunkBytes: 12 * KIB,
  segmentBytes: 32 * KIB,
  packBytes: 76 * KIB,
};
export const STRETCH_BYTES = 16 * KIB;

export const MODEL_IDS = {
  tenantId: '11111111-1111-4111-8111-111111111111',
  repositoryId: '22222222-2222-4222-8222-222222222222',
};

const keys: RepositoryKeys = {
  keyId: 'model',
  repositoryKey: new Uint8Array(32).fill(1),
  dedupSecret: new Uint8Array(32).fill(2),
};

/** The same keys every time, without a file. */
export const modelKeyRing = {
  createRepositoryKeys: async () => keys,
  getRepositoryKeys: async ({ generation }) => {
    if (generation > 0) {
      throw new AppError('KEY_MISSING', `There is no generation ${generation}.`);
    }
    return keys;
  },
} satisfies Partial<KeyRing> as unknown as KeyRing;

const stretches = new Map<number, Uint8Array>();

/** A disk of stretches of noise; the same number is the same noise. */
export function makeContent(numbers: readonly number[]): Uint8Array {
  const data = new Uint8Array(numbers.length * STRETCH_BYTES);
  numbers.forEach((number, i) => data.set(makeStretch(number), i * STRETCH_BYTES));
  return data;
}

function makeStretch(number: number): Uint8Array {
  const known = stretches.get(number);
  if (known !== undefined) {
    return known;
  }
  const iv = Buffer.alloc(16);
  iv.writeUInt32LE(number);
  const noise = new Uint8Array(
    createCipheriv('aes-128-ctr', Buffer.alloc(16, 3), iv).update(Buffer.alloc(STRETCH_BYTES)),
  );
  stretches.set(number, noise);
  return noise;
}

export function openModelVault(store: Store, leases: Leases, clock: ManualClock): Promise<Repository> {
  return openRepository({ store, keyRing: modelKeyRing, leases, clock, ...MODEL_IDS, workers: 2 });
}

/** Everything of a disk, for whoever is alone with the store. */
export async function readWhole(repository: Repository, pointId: string): Promise<Uint8Array> {
  const point = await repository.readPoint(pointId);
  const whole = new Uint8Array(point.disks[0]?.sizeBytes ?? 0);
  for await (const { offset, data } of repository.readDisk({ pointId, diskKey: 'xvda' })) {
    whole.set(data ?? [], offset);
  }
  return whole;
}
