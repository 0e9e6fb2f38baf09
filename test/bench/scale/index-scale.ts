import { randomBytes, randomUUID } from 'node:crypto';
import { CondemnedLog } from '../../../src/engine/collect/condemned-log.ts';
import { newObjectId } from '../../../src/engine/format/ids.ts';
import { indexName } from '../../../src/engine/format/names.ts';
import { openRepository } from '../../../src/engine/index.ts';
import { ChunkIndex } from '../../../src/engine/index/chunk-index.ts';
import { rangePrefix } from '../../../src/engine/index/chunk-filter.ts';
import { PAGE_WORDS } from '../../../src/engine/index/filter-memory.ts';
import { ENTRY_BYTES } from '../../../src/engine/index/index-entries.ts';
import { IndexSegmentBuilder } from '../../../src/engine/index/index-segment-builder.ts';
import { DEFAULT_PARAMETERS } from '../../../src/engine/repository-parameters.ts';
import { PackTables } from '../../../src/engine/restore/pack-tables.ts';
import { MIB } from '../../../src/kernel/bytes.ts';
import { systemClock } from '../../../src/kernel/clock.ts';
import { CHUNKS_PER_PACK, chunkAt, digestsOf, mix, packOf, wordAt, writeDigest, writePack } from './generated-store.ts';
import { openScaleVault, peakMb, type ScaleVault } from './scale-vault.ts';

/** What one early publication of a large write holds. */
const PACKS_PER_PUBLICATION = 256;
const QUESTIONS = 200;
const CHUNKS_PER_QUESTION = DEFAULT_PARAMETERS.segmentBytes / DEFAULT_PARAMETERS.averageChunkBytes;
const BACKUP_BYTES = 2048 * MIB;

function indexOf({ store, secrets }: ScaleVault): ChunkIndex {
  const condemned = new CondemnedLog(store, secrets, systemClock);
  return new ChunkIndex({ store, secrets, condemned, tables: new PackTables(store, secrets, condemned) });
}

/** Publishes as many chunks, as writers would: each publication merges what is to be merged. */
export async function buildIndex(folder: string, chunks: number): Promise<Record<string, number>> {
  const vault = await openScaleVault(folder, chunks);
  const index = indexOf(vault);
  const packs = Math.ceil(chunks / CHUNKS_PER_PACK);
  const start = performance.now();
  let longest = 0;
  for (let first = 0; first < packs; first += PACKS_PER_PUBLICATION) {
    const before = performance.now();
    const count = Math.min(PACKS_PER_PUBLICATION, packs - first);
    await index.publish(
      Array.from({ length: count }, (_, i) => ({ id: packOf(first + i), digests: digestsOf(first + i) })),
    );
    longest = Math.max(longest, performance.now() - before);
  }
  const seconds = (performance.now() - start) / 1000;
  let bytes = 0;
  let segments = 0;
  for await (const { sizeBytes } of vault.store.list('index/')) {
    bytes += sizeBytes;
    segments += 1;
  }
  return {
    'index: MB stored': bytes / 1e6,
    'index: segments': segments,
    'index: built, s': seconds,
    'index: longest publication with its merges, s': longest / 1000,
    'index: peak memory of building, MB': peakMb(),
  };
}

/** Of 63 entries of a range, how many each of its segments has: three of a size, then smaller ones, as merges leave them. */
const SHARES = [16, 16, 16, 4, 4, 4, 1, 1, 1];
const SEGMENT_ENTRIES = 786_432;
/** Filters have room for ranges that are a little fuller. */
const UNEVEN = 1.02;

/** The same in one pass, for so many chunks that publishing them would take hours: what merges end with, as they leave it. */
export async function layIndex(folder: string, chunks: number): Promise<Record<string, number>> {
  const vault = await openScaleVault(folder, chunks);
  const start = performance.now();
  const bytes = await laySegments(vault, chunks, { shares: SHARES, salt: 0 });
  return {
    'index: MB stored': bytes / 1e6,
    'index: segments': SHARES.length * 2 ** bitsFor(chunks),
    'index: laid out, s': (performance.now() - start) / 1000,
  };
}

interface Layers {
  /** Of 63 entries, how many each segment of a range gets. */
  readonly shares: readonly number[];
  /** Another one makes other digests. */
  readonly salt: number;
}

/** Returns how many bytes it wrote. */
async function laySegments({ store, secrets }: ScaleVault, chunks: number, { shares, salt }: Layers): Promise<number> {
  const bits = bitsFor(chunks);
  const layerOf = shares.flatMap((share, layer) => Array.from({ length: share }, () => layer));
  const rooms = shares.map((share) => Math.ceil((((chunks / 2 ** bits) * share) / 63) * UNEVEN) + 1000);
  const entry = Buffer.alloc(ENTRY_BYTES);
  let bytes = 0;
  let rank = 0;
  for (let prefix = 0; prefix < 2 ** bits; prefix += 1) {
    const layers = rooms.map((room) => {
      const id = newObjectId();
      return { id, builder: new IndexSegmentBuilder(id, secrets, room, { bits, prefix }) };
    });
    const end = Math.ceil(((prefix + 1) * chunks) / 2 ** bits);
    for (; rank < end && rangePrefix(wordAt(rank), bits) === prefix; rank += 1) {
      const chunk = chunkAt(rank);
      const layer = layers[layerOf[chunk % 63] ?? -1];
      if (layer !== undefined) {
        entry.writeUInt32BE(wordAt(rank), 0);
        entry.writeUInt32BE((mix(4 * chunk + 1) ^ salt) >>> 0, 4);
        writePack(Math.floor(chunk / CHUNKS_PER_PACK), entry, 8);
        layer.builder.add(entry, 0);
      }
    }
    for (const { id, builder } of layers) {
      const data = builder.finish();
      bytes += data.length;
      await store.putIfAbsent(indexName(0, id), [data]);
    }
  }
  return bytes;
}

function bitsFor(chunks: number): number {
  return Math.max(0, Math.ceil(Math.log2(chunks / 4 / SEGMENT_ENTRIES)));
}

/** A laid out index has three segments of the largest size in each range; that much of it is one more. */
export const LAID_SHARE = 63 / (63 + 16);

/** Into each range of a laid out index one segment more of the largest size: the fourth, so that all of it is to be merged. */
export async function fillIndex(folder: string, chunks: number): Promise<Record<string, number>> {
  const vault = await openScaleVault(folder, chunks);
  return { 'index: MB added, for merges': (await laySegments(vault, chunks, { shares: [16], salt: 1 })) / 1e6 };
}

/** Opens the index and asks it for what it does not have, and for what it has: neighbours, as disks ask. */
export async function askIndex(folder: string, chunks: number): Promise<Record<string, number>> {
  const vault = await openScaleVault(folder, chunks);
  const index = indexOf(vault);
  const before = process.memoryUsage.rss();
  const opening = performance.now();
  const { refs } = await index.refresh();
  const openSeconds = (performance.now() - opening) / 1000;
  const filterBytes = refs.reduce((sum, { pages }) => sum + pages.length * PAGE_WORDS * 4, 0);
  const held = process.memoryUsage.rss() - before;
  const unknown = await timeQuestions(vault, index, () => randomBytes(CHUNKS_PER_QUESTION * 16));
  const known = await timeQuestions(vault, index, (question) => neighbours(chunks, question));
  return {
    'open: s': openSeconds,
    'open: filters, bits a chunk': (filterBytes * 8) / chunks,
    'open: memory, MB': held / 1e6,
    'ask: new chunks a second': unknown.rate,
    'ask: blocks read for a new chunk': unknown.blocks,
    'ask: known chunks a second (tables made while asked)': known.rate,
    'ask: blocks read for a known chunk': known.blocks,
    'ask: tables read for a known chunk': known.tables,
    'ask: peak memory, MB': peakMb(),
  };
}

interface Answers {
  readonly rate: number;
  readonly blocks: number;
  readonly tables: number;
}

async function timeQuestions(
  { store }: ScaleVault,
  index: ChunkIndex,
  question: (number: number) => Buffer,
): Promise<Answers> {
  const questions = Array.from({ length: QUESTIONS }, (_, i) => question(i));
  const { indexReads, tablesRead } = store;
  const start = performance.now();
  for (const digests of questions) {
    await index.lookUp(digests);
  }
  const asked = QUESTIONS * CHUNKS_PER_QUESTION;
  return {
    rate: (asked * 1000) / (performance.now() - start),
    blocks: (store.indexReads - indexReads) / asked,
    tables: (store.tablesRead - tablesRead) / asked,
  };
}

/** A stretch of chunks from somewhere in the vault, as one segment of a disk that was backed up before has. */
function neighbours(chunks: number, question: number): Buffer {
  const digests = Buffer.alloc(CHUNKS_PER_QUESTION * 16);
  const first = Math.floor(((question * 0.618_034) % 1) * (chunks - CHUNKS_PER_QUESTION));
  for (let i = 0; i < CHUNKS_PER_QUESTION; i += 1) {
    writeDigest(first + i, digests, i * 16);
  }
  return digests;
}

/** A full backup of new data into that vault, with two workers: what the whole process takes. */
export async function backUpBeside(folder: string, chunks: number): Promise<Record<string, number>> {
  return backUp(await openScaleVault(folder, chunks), 'backup of 2 GiB beside it', chunks);
}

/** The same where the publication has to merge the whole index, of which so many chunks were laid first. */
export async function backUpMerging(folder: string, chunks: number): Promise<Record<string, number>> {
  return backUp(await openScaleVault(folder, chunks), 'backup that merges all', chunks / LAID_SHARE);
}

async function backUp(vault: ScaleVault, name: string, chunks: number): Promise<Record<string, number>> {
  const pool = randomBytes(4 * MIB);
  const text = Buffer.alloc(4 * MIB, randomBytes(48 * 1024).toString('hex'));
  const source = {
    concurrency: 4,
    read: async (offset: number, into: Uint8Array) => {
      for (let at = 0; at < into.length; at += 65_536) {
        const from = ((offset + at) / 65_536) * 40_961;
        const piece = (offset + at) % 196_608 === 0 ? pool : text;
        const length = Math.min(65_536, into.length - at);
        into.set(piece.subarray(from % (3 * MIB), (from % (3 * MIB)) + length), at);
        into[at] = offset / MIB;
      }
    },
  };
  const ids = { sessionId: randomUUID(), pointId: randomUUID() };
  const start = performance.now();
  await using repository = await openRepository(vault.options);
  await repository.beginSession({ ...ids, purpose: 'backup', pins: [] });
  const disk = { sessionId: ids.sessionId, diskKey: 'disk', sizeBytes: BACKUP_BYTES, source };
  const { chunksNew } = await repository.writeDisk(disk);
  const seconds = (performance.now() - start) / 1000;
  await repository.endSession(ids.sessionId);
  return {
    [`${name}: chunks in the index, millions`]: chunks / 1e6,
    [`${name}: chunks stored`]: chunksNew,
    [`${name}: MB written to the index`]: vault.store.indexBytes / 1e6,
    [`${name}: s, opening included`]: seconds,
    [`${name}: peak memory, MB`]: peakMb(),
    [`${name}: allowed, MB`]: allowedMb(chunks),
  };
}

/** 450 MB, and 10 bits for each chunk of the index. */
function allowedMb(chunks: number): number {
  return 450 + (chunks * 10) / 8 / 1e6;
}
