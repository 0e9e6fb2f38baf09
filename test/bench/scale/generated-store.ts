import { OBJECT_KIND } from '../../../src/engine/format/header.ts';
import type { ObjectId } from '../../../src/engine/format/ids.ts';
import { packName } from '../../../src/engine/format/names.ts';
import { PackBuilder } from '../../../src/engine/format/pack-builder.ts';
import type { RepositorySecrets } from '../../../src/engine/keys/key-schedule.ts';
import type { Store, StoredObject } from '../../../src/engine/index.ts';
import { DEFAULT_PARAMETERS } from '../../../src/engine/repository-parameters.ts';
import { DelegatingStore } from '../../../src/engine/stores/delegating-store.ts';
import { AppError } from '../../../src/kernel/errors.ts';

/** Of average length, as many as a pack holds where nothing is compressed. */
export const CHUNKS_PER_PACK = DEFAULT_PARAMETERS.packBytes / DEFAULT_PARAMETERS.averageChunkBytes;
const DIGEST_BYTES = 16;
const CACHED_PACKS = 64;

/** Without a divisor that powers of ten have. */
const STRIDE = 61_803_399;
let total = 1;
let inverse = 1n;

/** How many chunks there are: their digests are spread over them evenly, so that they can be made in order too. */
export function setChunks(chunks: number): void {
  total = Math.max(1, chunks);
  const [stride, modulus] = [BigInt(STRIDE % total), BigInt(total)];
  let [x, previous, rest, divisor] = [1n, 0n, stride, modulus];
  while (divisor > 0n) {
    const quotient = rest / divisor;
    [rest, divisor] = [divisor, rest % divisor];
    [x, previous] = [previous, x - quotient * previous];
  }
  inverse = ((x % modulus) + modulus) % modulus;
}

/** The chunk whose digest is the so many-th of all. */
export function chunkAt(rank: number): number {
  return (rank * (STRIDE % total)) % total;
}

/** The first word of its digest. */
export function wordAt(rank: number): number {
  const step = 2 ** 32 / total;
  return Math.min(2 ** 32 - 1, Math.floor(rank * step + (mix(rank) / 2 ** 32) * step));
}

/** Numbers that look like a digest, the same for the same chunk. */
export function writeDigest(chunk: number, into: Buffer, at: number): void {
  into.writeUInt32BE(wordAt(Number((BigInt(chunk) * inverse) % BigInt(total))), at);
  for (let word = 1; word < 4; word += 1) {
    into.writeUInt32BE(mix(4 * chunk + word), at + 4 * word);
  }
}

/** An id that looks like any other, and that says which pack it is. */
export function writePack(number: number, into: Buffer, at: number): void {
  into.writeUInt32BE(mix(number), at);
  into.writeUInt32BE(number, at + 4);
  into.writeUInt32BE(mix(number + 2 ** 30), at + 8);
  into.writeUInt32BE(mix(number + 2 ** 31), at + 12);
}

export function packOf(number: number): ObjectId {
  const id = Buffer.alloc(16);
  writePack(number, id, 0);
  return id.toString('hex');
}

export function digestsOf(pack: number): Buffer {
  const digests = Buffer.alloc(CHUNKS_PER_PACK * DIGEST_BYTES);
  for (let frame = 0; frame < CHUNKS_PER_PACK; frame += 1) {
    writeDigest(pack * CHUNKS_PER_PACK + frame, digests, frame * DIGEST_BYTES);
  }
  return digests;
}

/** A store whose generated data packs are made when they are asked for, with a real table and frames of one byte. */
export class GeneratedStore extends DelegatingStore {
  override readonly description = 'generated';
  readonly #inner: Store;
  readonly #packs: number;
  readonly #secrets: () => RepositorySecrets;
  readonly #made = new Map<string, Uint8Array>();
  tablesRead = 0;
  indexReads = 0;
  /** Written to the index. */
  indexBytes = 0;

  constructor(inner: Store, packs: number, secrets: () => RepositorySecrets) {
    super(inner);
    this.#inner = inner;
    this.#packs = packs;
    this.#secrets = secrets;
  }

  override putIfAbsent(...[name, parts, how]: Parameters<Store['putIfAbsent']>): Promise<'created' | 'exists'> {
    const bytes = parts.reduce((sum, part) => sum + part.length, 0);
    this.indexBytes += name.startsWith('index/') ? bytes : 0;
    return this.#inner.putIfAbsent(name, parts, how);
  }

  override async get(...[name, options]: Parameters<Store['get']>): Promise<Uint8Array> {
    return this.#make(name) ?? this.#inner.get(name, options);
  }

  override async getRange(name: string, offset: number, into: Uint8Array, signal?: AbortSignal): Promise<void> {
    const made = this.#make(name);
    this.indexReads += name.startsWith('index/') ? 1 : 0;
    if (made === null) {
      await this.#inner.getRange(name, offset, into, signal);
    } else if (offset + into.length > made.length) {
      throw new AppError('VAULT_CORRUPT', `${name} ends before byte ${offset + into.length}.`);
    } else {
      into.set(made.subarray(offset, offset + into.length));
    }
  }

  override async head(name: string): Promise<StoredObject | null> {
    const made = this.#make(name);
    return made === null ? this.#inner.head(name) : { name, sizeBytes: made.length };
  }

  #make(name: string): Uint8Array | null {
    const known = this.#made.get(name);
    if (known !== undefined) {
      return known;
    }
    const id = name.slice(-32);
    const number = Number.parseInt(id.slice(8, 16), 16);
    if (!(number < this.#packs) || name !== packName('data', packOf(number))) {
      return null;
    }
    const buffer = new Uint8Array(64 * 1024);
    const builder = new PackBuilder(buffer, OBJECT_KIND.dataPack, id, this.#secrets());
    const digests = digestsOf(number);
    for (let frame = 0; frame < CHUNKS_PER_PACK; frame += 1) {
      const digest = Buffer.alloc(2 * DIGEST_BYTES);
      digests.copy(digest, 0, frame * DIGEST_BYTES, (frame + 1) * DIGEST_BYTES);
      builder.append(Uint8Array.of(frame & 255), digest);
    }
    const made = buffer.slice(0, builder.finish());
    this.#made.set(name, made);
    this.tablesRead += 1;
    const [oldest] = this.#made.keys();
    if (this.#made.size > CACHED_PACKS && oldest !== undefined) {
      this.#made.delete(oldest);
    }
    return made;
  }
}

/** One to one on 32 bits. */
export function mix(value: number): number {
  let x = value | 0;
  x = Math.imul(x ^ (x >>> 16), 0x85eb_ca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2_ae35);
  return (x ^ (x >>> 16)) >>> 0;
}
