import { AppError } from '../../src/kernel/errors.ts';
import type { BlockSource, ByteRange, DiskResult, Repository } from '../../src/engine/index.ts';
import { renderDisk, sha256, type DiskRecipe } from './disk-recipe.ts';

export interface DiskToBackUp {
  readonly recipe: DiskRecipe;
  readonly changed: readonly ByteRange[];
}

export interface BackupOperation {
  readonly kind: 'backup';
  readonly sessionId: string;
  readonly pointId: string;
  readonly vmId: string;
  readonly basePointId: string | null;
  readonly unchangedFrom: 'source' | 'vault';
  readonly disks: Readonly<Record<string, DiskToBackUp>>;
}

/** What a process is told to do with a vault. Each may be told again after it was interrupted. */
export type Operation =
  | BackupOperation
  /** Gives a backup up that was interrupted. */
  | { readonly kind: 'abandon'; readonly sessionId: string; readonly pointId: string }
  | { readonly kind: 'delete'; readonly pointId: string }
  /** With no grace, so that what goes goes at once. */
  | { readonly kind: 'collect'; readonly pointId: null }
  | { readonly kind: 'restore'; readonly sessionId: string; readonly neverPointId: string; readonly pointId: string };

export interface Outcome {
  /** Of disks that were restored, by their keys. */
  readonly digests?: Readonly<Record<string, string>>;
  readonly disks?: readonly DiskResult[];
}

export async function perform(repository: Repository, operation: Operation): Promise<Outcome> {
  if (operation.kind === 'backup') {
    return backUp(repository, operation);
  }
  if (operation.kind === 'restore') {
    return restoreUnderSession(repository, operation);
  }
  if (operation.kind === 'delete') {
    await repository.deletePoint(operation.pointId);
  } else if (operation.kind === 'collect') {
    await collectAll(repository);
  } else {
    await repository.endSession(operation.sessionId);
  }
  return {};
}

/** Nothing that is needed may be damaged or lost, whatever happened before. */
export async function collectAll(repository: Repository): Promise<void> {
  const { unreadable, lostChunks, damagedPacks } = await repository.collect({ graceMs: 0 });
  if (unreadable.length + lostChunks + damagedPacks.length > 0) {
    throw new AppError(
      'VAULT_CORRUPT',
      `A collection met damage: ${JSON.stringify({ unreadable, lostChunks, damagedPacks })}.`,
    );
  }
}

async function backUp(repository: Repository, operation: BackupOperation): Promise<Outcome> {
  const { sessionId, pointId, vmId, basePointId, unchangedFrom } = operation;
  const pins = basePointId === null ? [] : [basePointId];
  await repository.beginSession({ sessionId, pointId, purpose: 'backup', pins });
  const disks: DiskResult[] = [];
  for (const [diskKey, { recipe, changed }] of Object.entries(operation.disks)) {
    disks.push(
      await repository.writeDisk({
        sessionId,
        diskKey,
        sizeBytes: recipe.sizeBytes,
        source: sourceOf(renderDisk(recipe)),
        unchangedFrom,
        sampleBytes: 16_384,
        ...(basePointId === null ? {} : { base: { pointId: basePointId, diskKey }, changed }),
      }),
    );
  }
  const lied = disks.find(({ fellBackToFull }) => fellBackToFull !== undefined);
  if (lied !== undefined) {
    throw new AppError('INTERNAL', `The change list of ${lied.diskKey} is right, and was said to lie.`);
  }
  const config = Buffer.from(`configuration of ${vmId}`);
  await repository.commitPoint({ sessionId, pointId, vmId, takenAt: 1, disks, config, info: {} });
  await repository.endSession(sessionId);
  return { disks };
}

async function restoreUnderSession(
  repository: Repository,
  { sessionId, neverPointId, pointId }: Operation & { readonly kind: 'restore' },
): Promise<Outcome> {
  await repository.beginSession({ sessionId, pointId: neverPointId, purpose: 'restore', pins: [pointId] });
  const digests = await restoreAll(repository, pointId);
  await repository.endSession(sessionId);
  return { digests };
}

/** Every disk of a restore point through the parallel path; what the restore leaves out is 0xEE. */
export async function restoreAll(repository: Repository, pointId: string): Promise<Record<string, string>> {
  const digests: Record<string, string> = {};
  for (const { diskKey, sizeBytes } of (await repository.readPoint(pointId)).disks) {
    const restored = new Uint8Array(sizeBytes).fill(0xee);
    await repository.restoreDisk({
      pointId,
      diskKey,
      sink: {
        concurrency: 4,
        write: async (offset, data) => {
          restored.set(data, offset);
        },
        hole: async (offset, length) => {
          restored.fill(0, offset, offset + length);
        },
      },
    });
    digests[diskKey] = sha256(restored);
  }
  return digests;
}

function sourceOf(data: Uint8Array): BlockSource {
  return {
    concurrency: 3,
    read: async (offset, into) => {
      into.set(data.subarray(offset, offset + into.length));
    },
  };
}
