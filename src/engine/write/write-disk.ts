import { throwIfAborted } from '../../kernel/abort.ts';
import { AppError } from '../../kernel/errors.ts';
import type { DiskGeometry } from '../disk-geometry.ts';
import { ManifestWriter } from '../manifest/manifest-writer.ts';
import { manifestOwner } from '../manifest/seal-meta-pack.ts';
import type { PointStore } from '../points/point-store.ts';
import { geometryOf, type RepositoryContext } from '../repository-context.ts';
import type { Session } from '../sessions/session-store.ts';
import { withLease } from '../sessions/with-lease.ts';
import type { DiskManifest } from '../manifest/manifest-types.ts';
import type { DiskResult, WriteDiskRequest } from './write-types.ts';
import { BaseManifest, noteDamage, type BaseHealth } from './base-manifest.ts';
import { ChangeMap } from './change-map.ts';
import { findDamagedRanges } from './damaged-ranges.ts';
import { sumCounts, WriteJournal, type JournalState } from './journal.ts';
import { lanesWorth } from './lanes-worth.ts';
import { LayerSpill } from './layer-spill.ts';
import { sampleUnchanged } from './sample-unchanged.ts';
import { SegmentSource } from './segment-source.ts';
import { WriteJob } from './write-job.ts';
import { finishManifest, type ManifestBase } from './write-manifest.ts';
import { planDelta, planFull, type WritePlan } from './write-plan.ts';
import { writeSegments } from './write-segments.ts';

const DEFAULT_SAMPLE_BYTES = 8 * 1024 * 1024;
/** New chunks are smaller than the average where a disk has many holes or changes. */
const EXPECTED_SHARE = 2;

interface Write {
  readonly context: RepositoryContext;
  readonly session: Session;
  readonly request: WriteDiskRequest;
  readonly signal: AbortSignal;
  readonly fail: (error: unknown) => void;
  /** Whether the base's manifest was found damaged, by now or by the attempt before. */
  readonly base: BaseHealth;
}

interface BaseDisk extends ManifestBase {
  readonly dirty: ChangeMap;
  readonly identity: string;
}

/** Stores a disk, from its changes if they can be believed. */
export async function writeDisk(
  context: RepositoryContext,
  points: PointStore,
  session: Session,
  request: WriteDiskRequest,
): Promise<DiskResult> {
  if (!Number.isSafeInteger(request.sizeBytes) || request.sizeBytes <= 0) {
    throw new AppError('BAD_INPUT', `A disk of ${request.sizeBytes} bytes can't be stored.`);
  }
  const base = { isDamaged: false };
  try {
    return await attempt(context, points, session, { request, base });
  } catch (error) {
    if (!base.isDamaged || request.signal?.aborted === true) {
      throw error;
    }
    // Its damage must not stop the backups that would replace it.
    return attempt(context, points, session, { request, base });
  }
}

async function attempt(
  context: RepositoryContext,
  points: PointStore,
  session: Session,
  { request, base }: Pick<Write, 'request' | 'base'>,
): Promise<DiskResult> {
  const controller = new AbortController();
  const own = controller.signal;
  const signal = request.signal === undefined ? own : AbortSignal.any([request.signal, own]);
  const write: Write = { context, session, request, signal, fail: (error) => controller.abort(error), base };
  try {
    return await withLease(context, session.sessionId, write.fail, async () => {
      context.lanes.warmUp(lanesWorth(bytesToRead(request), geometryOf(context, request.sizeBytes)));
      return writeFrom(write, base.isDamaged ? null : await findBase(write, points));
    });
  } catch (error) {
    // What went wrong first says more than what it made go wrong elsewhere.
    throw own.aborted ? own.reason : error;
  }
}

/** About how many: what the change list names, or the disk. */
function bytesToRead({ base, changed, sizeBytes }: WriteDiskRequest): number {
  return base === undefined || changed === undefined ? sizeBytes : changed.reduce((sum, { length }) => sum + length, 0);
}

async function findBase(write: Write, points: PointStore): Promise<BaseDisk | null> {
  const { context, session, request, signal } = write;
  const { base, changed, sizeBytes } = request;
  if (base === undefined || changed === undefined) {
    return null;
  }
  if (!session.pins.includes(base.pointId)) {
    throw new AppError('BAD_INPUT', `Session ${session.sessionId} does not pin its base ${base.pointId}.`);
  }
  const point = await noteDamage(write.base, points.get(base.pointId));
  const disk = point.disks.find(({ diskKey }) => diskKey === base.diskKey);
  if (disk === undefined) {
    throw new AppError('NO_RESTORE_POINT', `Restore point ${base.pointId} has no disk ${base.diskKey}.`);
  }
  const reader = new BaseManifest(context, disk, write.base);
  await reader.requireLayers();
  const damaged = await findDamagedRanges(reader, context.condemned.damaged(), signal);
  const dirty = new ChangeMap(
    damaged.length === 0 ? changed : [...changed, ...damaged],
    geometryOf(context, sizeBytes),
    disk.sizeBytes,
  );
  const identity = JSON.stringify([base.pointId, base.diskKey, dirty.digest()]);
  return { reader, layers: disk.layers, dirty, identity };
}

async function writeFrom(write: Write, base: BaseDisk | null): Promise<DiskResult> {
  const { context, request } = write;
  const geometry = geometryOf(context, request.sizeBytes);
  if (base === null) {
    return writePlanned(write, planFull(geometry), { base: null, sampled: 0, lied: false });
  }
  const vault = request.unchangedFrom === 'vault' ? context.chunks : null;
  const sampler = new SegmentSource(request.source, geometry, vault, write.signal);
  const verdict = journalFor(write, 'lied');
  const known = (await verdict.load()).counts.bytesRead > 0;
  const limits = {
    digestKey: context.secrets.digestKey,
    budgetBytes: request.sampleBytes ?? DEFAULT_SAMPLE_BYTES,
    sizeBytes: request.sizeBytes,
  };
  const { bytes, lied } = known
    ? { bytes: 0, lied: true }
    : await sampleUnchanged(base.reader, base.dirty, sampler, limits);
  if (lied && !known) {
    await verdict.append({ bytesRead: bytes, chunksRead: 0, chunksNew: 0 }, { packs: [] }, []);
  }
  return lied
    ? writePlanned(write, planFull(geometry), { base: null, sampled: bytes, lied: true })
    : writePlanned(write, planDelta(geometry, base.reader, base.dirty), {
        base,
        sampled: bytes,
        lied: false,
      });
}

interface How {
  readonly base: BaseDisk | null;
  readonly sampled: number;
  readonly lied: boolean;
}

async function writePlanned(write: Write, plan: WritePlan, how: How): Promise<DiskResult> {
  const { context, request, signal } = write;
  const { store, secrets, parameters } = context;
  const identity = how.base === null ? 'full' : how.base.identity;
  const journal = journalFor(write, identity);
  const resume = await journal.load();
  await context.index.refresh(signal);
  const expectedBytes = EXPECTED_SHARE * plan.bytesChanged;
  const expectedChunks = Math.ceil(expectedBytes / parameters.minChunkBytes) + 64;
  const owner = manifestOwner(request.sessionId, request.diskKey);
  const writer = new ManifestWriter(store, secrets, owner);
  const foldWriter = new ManifestWriter(store, secrets, owner);
  const spill = new LayerSpill(writer, plan.segments, resume.settled, signal);
  const job = new WriteJob(
    context,
    { journal, resume, spill },
    { expectedBytes, expectedChunks, signal, fail: write.fail },
  );
  try {
    await job.adopt(resume.unpublished);
    await runSegments(write, plan, job, resume);
    await job.settleUploads();
    throwIfAborted(signal);
  } finally {
    await job.settleUploads();
    job.releaseBuffers();
  }
  await store.flush();
  await job.finishIndex();
  const { geometry } = plan;
  const toGeometry = (sizeBytes: number): DiskGeometry => geometryOf(context, sizeBytes);
  await spill.finish();
  const input = { geometry, geometryOf: toGeometry, writer, foldWriter, base: how.base };
  const layers = await finishManifest(input, signal);
  await store.flush();
  const counts = sumCounts([resume.counts, job.counts]);
  const manifest: DiskManifest = { diskKey: request.diskKey, sizeBytes: request.sizeBytes, layers };
  return {
    diskKey: request.diskKey,
    manifest,
    sizeBytes: request.sizeBytes,
    bytesRead: counts.bytesRead + how.sampled,
    bytesChanged: plan.bytesChanged,
    bytesStoredNew: job.storedBytes + job.indexBytes + writer.storedBytes + foldWriter.storedBytes,
    bytesSampled: how.sampled,
    chunksRead: counts.chunksRead,
    chunksNew: counts.chunksNew,
    resumed: resume.settled.size > 0,
    ...fallBackOf(write, how),
  };
}

function fallBackOf({ base }: Write, { lied }: How): Pick<DiskResult, 'fellBackToFull'> {
  if (base.isDamaged) {
    return { fellBackToFull: 'BASE_DAMAGED' };
  }
  return lied ? { fellBackToFull: 'CHANGE_LIST_LIED' } : {};
}

async function runSegments(write: Write, plan: WritePlan, job: WriteJob, resume: JournalState): Promise<void> {
  const { context, request, signal, fail } = write;
  const { geometry } = plan;
  const vault = request.unchangedFrom === 'vault' ? context.chunks : null;
  const source = new SegmentSource(request.source, geometry, vault, signal);
  let doneBytes = geometry.sizeBytes - unsettledBytes(plan, resume, geometry);
  const report = (): void => {
    const { bytesRead } = sumCounts([resume.counts, job.counts]);
    const { sizeBytes } = geometry;
    request.onProgress?.({ doneBytes, sizeBytes, bytesRead, bytesStoredNew: job.storedBytes });
  };
  report();
  const onSettled = (bytes: number): void => {
    doneBytes += bytes;
    report();
  };
  const segments = plan.segments.filter((segment) => !resume.settled.has(segment));
  await writeSegments({ plan, segments, job, source, lanes: context.lanes, signal, fail, onSettled });
}

function unsettledBytes(plan: WritePlan, resume: JournalState, geometry: DiskGeometry): number {
  return plan.segments
    .filter((segment) => !resume.settled.has(segment))
    .reduce((sum, segment) => sum + geometry.bytesIn(segment), 0);
}

function journalFor({ context, request }: Write, identity: string): WriteJournal {
  const { diskKey, sizeBytes, sessionId } = request;
  const whole = JSON.stringify([diskKey, sizeBytes, identity]);
  return new WriteJournal(context.store, context.secrets, sessionId, whole);
}
