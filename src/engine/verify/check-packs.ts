import { throwIfAborted } from '../../kernel/abort.ts';
import type { ObjectId } from '../format/ids.ts';
import { packName } from '../format/names.ts';
import { corrupt } from '../format/header.ts';
import { readPackTable, type PackTable } from '../format/pack-reader.ts';
import type { RepositoryContext } from '../repository-context.ts';
import type { Lane } from '../worker/lane.ts';
import { decodePack } from './decode-pack.ts';
import { diagnosePack, requireDamage } from './diagnose.ts';
import { hasItsHash } from './hash-pack.ts';
import { frames, requireLayout } from './pack-layout.ts';
import type { DamagedObject, VerifyLevel } from './verify-types.ts';

/** Tables that are opened at the same time on level 0, where the store's answers are what takes time. */
const TABLE_CONCURRENCY = 16;

export interface PackOutcome {
  readonly id: ObjectId;
  readonly damage: DamagedObject | null;
  readonly bytesRead: number;
}

export interface PackWork {
  readonly level: VerifyLevel;
  readonly signal: AbortSignal;
  /** The next pack, until there is none. */
  next(): ObjectId | undefined;
  done(outcome: PackOutcome): void;
}

/** Works through packs: on level 0 by their tables, else on the lanes, each pack on whichever is free. */
export async function checkPacks(context: RepositoryContext, work: PackWork): Promise<void> {
  const controller = new AbortController();
  const signal = AbortSignal.any([work.signal, controller.signal]);
  const loops = work.level === 0 ? TABLE_CONCURRENCY : context.lanes.size;
  const run = async (): Promise<void> => {
    for (let id = work.next(); id !== undefined; id = work.next()) {
      throwIfAborted(signal);
      work.done(await checkPack(context, id, work.level, signal));
    }
  };
  const running = Array.from({ length: loops }, () =>
    run().catch((error: unknown) => {
      controller.abort(error);
    }),
  );
  await Promise.all(running);
  throwIfAborted(work.signal);
  if (controller.signal.aborted) {
    throw controller.signal.reason;
  }
}

async function checkPack(
  context: RepositoryContext,
  id: ObjectId,
  level: VerifyLevel,
  signal: AbortSignal,
): Promise<PackOutcome> {
  try {
    const table = await readPackTable(context.store, 'data', id, context.secrets, signal);
    requireLayout(table);
    return level === 0 ? { id, damage: null, bytesRead: 0 } : await readPack(context, id, table, { level, signal });
  } catch (error) {
    requireDamage(error);
    const found = await diagnosePack(context.store, context.secrets, { area: 'data', id }, error);
    return { id, damage: { ...found, lostFrames: 'all' }, bytesRead: 0 };
  }
}

/** A lane is held for one pack at a time, so that backups and restores get theirs in between. */
async function readPack(
  context: RepositoryContext,
  id: ObjectId,
  table: PackTable,
  { level, signal }: { readonly level: VerifyLevel; readonly signal: AbortSignal },
): Promise<PackOutcome> {
  const lane = await context.lanes.acquire(signal);
  try {
    if (level === 1 && (await isWhole(context, lane, table, signal))) {
      return { id, damage: null, bytesRead: table.sizeBytes };
    }
    const lostFrames = await decodePack(context.store, lane, table, signal);
    if (level === 2 && lostFrames.length === 0) {
      return { id, damage: null, bytesRead: table.sizeBytes };
    }
    const error = corrupt(packName('data', id), describeLoss(table, lostFrames));
    const { name, problem } = await diagnosePack(context.store, context.secrets, { area: 'data', id }, error);
    // One that is gone was collected, maybe: what it held is looked for elsewhere.
    const lost = problem === 'missing' ? 'all' : lostFrames;
    return { id, damage: { name, problem, message: error.message, lostFrames: lost }, bytesRead: table.sizeBytes };
  } finally {
    context.lanes.release(lane);
  }
}

async function isWhole(
  { store }: RepositoryContext,
  lane: Lane,
  table: PackTable,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    return await hasItsHash(store, lane, { name: table.opener.name, sizeBytes: table.sizeBytes }, signal);
  } catch (error) {
    requireDamage(error);
    return false;
  }
}

function describeLoss(table: PackTable, lost: readonly number[]): string {
  if (lost.length === 0) {
    return 'does not have its hash, but every frame in it is whole';
  }
  const bytes = [...frames(table)].filter(({ ordinal }) => lost.includes(ordinal));
  const rawBytes = bytes.reduce((sum, frame) => sum + frame.rawBytes, 0);
  return `has ${lost.length} damaged frames of ${table.frameCount}, with ${rawBytes} bytes of disks`;
}
