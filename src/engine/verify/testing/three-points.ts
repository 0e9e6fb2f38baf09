import { randomBytes } from 'node:crypto';
import { KIB } from '../../../kernel/bytes.ts';
import { DIGEST_BYTES, plainDigest } from '../../keys/digest.ts';
import { backup, createTestVault, MemoryDisk, restore, sameBytes, type TestVault } from '../../testing/test-vault.ts';
import type { ByteRange } from '../../ports/block-io.ts';
import type { Repository } from '../../repository.ts';
import type { VerifyLevel, VerifyResult } from '../verify-types.ts';

export const LEVELS: readonly VerifyLevel[] = [0, 1, 2];
export const HEADER = 64;
const DISK_BYTES = 420 * KIB + 100;
const CHANGE = { offset: 300 * KIB, length: 8 * KIB };

/** `first` is of a disk with a hole, `second` of the same from its changes, `other` of one that shares nothing. */
export interface PerPoint<T> {
  readonly first: T;
  readonly second: T;
  readonly other: T;
}

/** A vault with three restore points, to be damaged and verified. */
export class ThreePoints implements AsyncDisposable {
  readonly vault: TestVault;
  readonly repository: Repository;
  readonly disks: PerPoint<Uint8Array>;
  readonly points: PerPoint<string>;
  /** Names of the data packs that each brought. */
  readonly packs: PerPoint<readonly string[]>;

  constructor(
    vault: TestVault,
    repository: Repository,
    made: { disks: PerPoint<Uint8Array>; points: PerPoint<string>; packs: PerPoint<readonly string[]> },
  ) {
    this.vault = vault;
    this.repository = repository;
    this.disks = made.disks;
    this.points = made.points;
    this.packs = made.packs;
  }

  names(prefix: string): string[] {
    return [...this.vault.objects.keys()].filter((name) => name.startsWith(prefix));
  }

  bytesOf(name: string): Uint8Array {
    return (this.vault.objects.get(name) ?? new Uint8Array(0)).slice();
  }

  /** A negative place counts from the end. */
  flip(name: string, at: number): void {
    const data = this.bytesOf(name);
    const place = at < 0 ? data.length + at : at;
    data[place] = (data[place] ?? 0) ^ 0x04;
    this.vault.objects.set(name, data);
  }

  /** Makes the keyless hash right again, as somebody would who changes a pack on purpose. */
  rehash(name: string): void {
    const data = this.bytesOf(name);
    data.set(plainDigest(data.subarray(0, -DIGEST_BYTES)), data.length - DIGEST_BYTES);
    this.vault.objects.set(name, data);
  }

  /** By a repository that remembers nothing. */
  async verifyAt(level: VerifyLevel): Promise<VerifyResult> {
    await using fresh = await this.vault.open((same) => same, 1);
    return await fresh.verify({ level });
  }

  /** Ranges that are named lost and can be read, or the other way round, and intact points that don't restore. */
  async findMistakes(result: VerifyResult): Promise<string[]> {
    const mistakes: string[] = [];
    await using fresh = await this.vault.open();
    for (const key of ['first', 'second', 'other'] as const) {
      const [pointId, disk] = [this.points[key], this.disks[key]];
      const diskKey = key === 'other' ? 'xvdb' : 'xvda';
      const named = result.damagedPoints.find((point) => point.pointId === pointId);
      const lost = named?.disks[0]?.ranges ?? [];
      const unreadable = named?.vmId === null ? [] : await findUnreadable(fresh, { pointId, diskKey }, disk.length);
      if (JSON.stringify(lost) !== JSON.stringify(unreadable)) {
        mistakes.push(`${key}: ${JSON.stringify(lost)} named, ${JSON.stringify(unreadable)} unreadable`);
      }
      if (result.intactPoints.includes(pointId) && !sameBytes(await restore(fresh, pointId, diskKey), disk)) {
        mistakes.push(`${key} is called intact and restores as something else`);
      }
    }
    return mistakes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.repository[Symbol.asyncDispose]();
    await this.vault[Symbol.asyncDispose]();
  }
}

export async function makeThreePoints(): Promise<ThreePoints> {
  const first = new Uint8Array(randomBytes(DISK_BYTES));
  first.fill(0, 100 * KIB, 200 * KIB);
  const second = first.slice();
  second.set(randomBytes(CHANGE.length), CHANGE.offset);
  const other = new Uint8Array(randomBytes(200 * KIB));
  const vault = await createTestVault();
  const repository = await vault.open();
  const known = new Set<string>();
  const added = (): string[] => {
    const fresh = [...vault.objects.keys()].filter((name) => name.startsWith('data/') && !known.has(name));
    fresh.forEach((name) => known.add(name));
    return fresh;
  };
  const one = await backup(repository, { disks: { xvda: new MemoryDisk(first) } });
  const firstPacks = added();
  const base = { pointId: one.summary.pointId, changed: [CHANGE] };
  const two = await backup(repository, { disks: { xvda: new MemoryDisk(second) }, base });
  const secondPacks = added();
  const three = await backup(repository, { disks: { xvdb: new MemoryDisk(other) } });
  return new ThreePoints(vault, repository, {
    disks: { first, second, other },
    points: { first: one.summary.pointId, second: two.summary.pointId, other: three.summary.pointId },
    packs: { first: firstPacks, second: secondPacks, other: added() },
  });
}

/** Found by asking for 4 KiB at a time. */
export async function findUnreadable(
  repository: Repository,
  disk: { readonly pointId: string; readonly diskKey: string },
  sizeBytes: number,
): Promise<ByteRange[]> {
  const ranges: { offset: number; length: number }[] = [];
  for (let offset = 0; offset < sizeBytes; offset += 4 * KIB) {
    const length = Math.min(4 * KIB, sizeBytes - offset);
    if (await canRead(repository, disk, { offset, length })) {
      continue;
    }
    const last = ranges.at(-1);
    if (last !== undefined && last.offset + last.length === offset) {
      last.length += length;
    } else {
      ranges.push({ offset, length });
    }
  }
  return ranges;
}

async function canRead(
  repository: Repository,
  disk: { readonly pointId: string; readonly diskKey: string },
  range: ByteRange,
): Promise<boolean> {
  try {
    let bytes = 0;
    for await (const piece of repository.readDisk({ ...disk, ranges: [range] })) {
      bytes += piece.length;
    }
    return bytes === range.length;
  } catch {
    return false; // whatever it is, the range can't be had
  }
}
