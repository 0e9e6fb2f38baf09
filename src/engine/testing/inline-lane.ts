import { limit } from '../../kernel/limit.ts';
import { BlockHasher } from '../chunking/block-hasher.ts';
import { toCutRules, type CutRules } from '../chunking/cutter.ts';
import type { RepositorySecrets } from '../keys/key-schedule.ts';
import type { ChunkingParameters } from '../repository-options.ts';
import { ChunkWriter } from '../worker/chunk-writer.ts';
import { cutSegment } from '../worker/cut-segment.ts';
import { decodeFrames } from '../worker/decode-frames.ts';
import type { Lane as LaneThread, WriteHost } from '../worker/lane.ts';
import { allocateLaneMemory, slotView, type LaneMemory } from '../worker/lane-memory.ts';
import type { DecodeTask, HashTask, SegmentDone, SegmentTask, WriteTables } from '../worker/protocol.ts';
import { StretchHasher } from '../worker/stretch-hasher.ts';

/**
 * What a worker does, on the thread that asks. With it nothing happens but what the store lets happen: for tests that
 * decide about the order of everything (`vi.mock('../worker/lane.ts', () => import('../testing/inline-lane.ts'))`).
 */
export class Lane implements Pick<LaneThread, keyof LaneThread> {
  readonly isBroken = false;
  readonly #memory: LaneMemory;
  readonly #secrets: RepositorySecrets;
  readonly #rules: CutRules;
  readonly #hasher: BlockHasher;
  readonly #stretches: StretchHasher;
  readonly #turn = limit(1);
  #writer: ChunkWriter | null = null;

  constructor(secrets: RepositorySecrets, parameters: ChunkingParameters) {
    this.#memory = allocateLaneMemory(parameters);
    this.#secrets = secrets;
    this.#rules = toCutRules(parameters);
    this.#hasher = new BlockHasher(this.#memory.memory, secrets.chunkSeed);
    this.#stretches = new StretchHasher(this.#memory);
  }

  slot(index: number): Uint8Array {
    return slotView(this.#memory, index);
  }

  async beginWrite(tables: WriteTables, host: WriteHost): Promise<void> {
    this.#writer = new ChunkWriter(this.#secrets, tables, {
      nextPack: () => host.nextPack(),
      lookUp: (digests) => host.lookUp(digests),
      sealed: (pack) => host.packSealed(pack),
    });
  }

  async segment(task: SegmentTask): Promise<SegmentDone> {
    return this.#turn(async () => {
      const writer = this.#writer;
      if (writer === null) {
        throw new Error('no write was begun');
      }
      try {
        return await cutSegment({ lane: this.#memory, hasher: this.#hasher, rules: this.#rules, writer }, task);
      } catch (error) {
        this.#writer = null;
        throw error;
      }
    });
  }

  async endWrite(): Promise<void> {
    this.#writer?.finish();
    this.#writer = null;
  }

  async dropWrite(): Promise<void> {
    this.#writer = null;
  }

  async decode(task: DecodeTask): Promise<void> {
    decodeFrames(this.#memory, this.#secrets.digestKey, task);
  }

  async hash(task: HashTask): Promise<Uint8Array> {
    return this.#stretches.hash(task);
  }

  async stop(): Promise<void> {
    this.#writer = null;
  }
}
