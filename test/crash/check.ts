import { plainDigest } from '../../src/engine/keys/digest.ts';
import type { Repository, Store } from '../../src/engine/index.ts';
import { sha256 } from './disk-recipe.ts';
import type { KnownPoint } from './world.ts';

export type KnownPoints = ReadonlyMap<string, Readonly<KnownPoint>>;

const HASH_BYTES = 32;
const REPOSITORY_FILE = /^repo\.\d+$/;

/** Which objects were found whole and can't have changed since. */
export interface KnownObjects {
  isKnown(name: string): boolean;
  add(name: string): void;
}

/** Something that must never be. */
export class Finding extends Error {
  override readonly name = 'Finding';
}

/**
 * Whoever comes after a crash finds every restore point that was promised, none that was never begun or is gone, and each
 * with its bytes; and no object that is not whole. `known`: objects that were looked at
 * before, and are not again.
 */
export async function checkVault(
  store: Store,
  repository: Repository,
  points: KnownPoints,
  known: KnownObjects,
): Promise<ReadonlySet<string>> {
  await checkObjects(store, known);
  const listed = new Set<string>();
  for await (const { pointId } of repository.listPoints()) {
    listed.add(pointId);
    await checkPoint(repository, points, pointId);
  }
  for (const [pointId, { state }] of points) {
    if (state === 'committed' && !listed.has(pointId)) {
      throw new Finding(`Restore point ${pointId} was committed and is not listed.`);
    }
  }
  return listed;
}

async function checkPoint(repository: Repository, points: KnownPoints, pointId: string): Promise<void> {
  const point = points.get(pointId);
  if (point === undefined || point.state === 'gone') {
    throw new Finding(`Restore point ${pointId} is listed, and is ${point?.state ?? 'none that was ever begun'}.`);
  }
  const stored = (await repository.readPoint(pointId)).disks.map(({ diskKey }) => diskKey);
  if (JSON.stringify(stored) !== JSON.stringify(Object.keys(point.digests))) {
    throw new Finding(`Restore point ${pointId} has the disks ${stored.join(', ')}.`);
  }
  for (const [diskKey, digest] of Object.entries(point.digests)) {
    if (sha256(await readWhole(repository, pointId, diskKey)) !== digest) {
      throw new Finding(`Disk ${diskKey} of restore point ${pointId} has other bytes than it was made of.`);
    }
  }
}

async function readWhole(repository: Repository, pointId: string, diskKey: string): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const { length, data } of repository.readDisk({ pointId, diskKey })) {
    pieces.push(data?.slice() ?? new Uint8Array(length));
  }
  return new Uint8Array(Buffer.concat(pieces));
}

/** Everything that lies in the store is whole by its own hash. */
async function checkObjects(store: Store, known: KnownObjects): Promise<void> {
  for await (const { name } of store.list('')) {
    if (name.includes('.aside')) {
      throw new Finding(`${name} is listed.`);
    }
    if (REPOSITORY_FILE.test(name) || known.isKnown(name)) {
      continue;
    }
    const data = await store.get(name);
    const end = data.length - HASH_BYTES;
    if (end < 0 || plainDigest(data.subarray(0, end)).compare(data.subarray(end)) !== 0) {
      throw new Finding(`${name} is there by half: ${data.length} bytes.`);
    }
    known.add(name);
  }
}
