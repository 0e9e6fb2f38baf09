import { OBJECT_KIND } from '../../../src/engine/format/header.ts';
import type { ObjectId } from '../../../src/engine/format/ids.ts';
import { packName } from '../../../src/engine/format/names.ts';
import { PackBuilder } from '../../../src/engine/format/pack-builder.ts';
import type { RepositorySecrets } from '../../../src/engine/keys/key-schedule.ts';
import type { Store, StoredObject } from '../../../src/engine/index.ts';
import { AppError } from '../../../src/kernel/errors.ts';

/** About what a pack of 64 MiB holds. */
export const CHUNKS_PER_PACK = 350;
const DIGEST_BYTES = 16;
const CACHED_PACKS = 64;

/** Numbers that look like a digest, the same for the same chunk. */
export function writeDigest(chunk: number, into: Buffer, at: number): void {
  for (let word = 0; word < 4; word += 1) {
    into.writeUInt32BE(mix(4 * chunk + word), at + 4 * word);
  }
}

/** An id that looks like any other, and that says which pack it is. */
export function packOf(number: number): ObjectId {
  const words = [mix(number), number, mix(number + 2 ** 30), mix(number + 2 ** 31)];
  return words.map((word) => word.toString(16).padStart(8, '0')).join('');
}

export function digestsOf(pack: number): Buffer {
  const digests = Buffer.alloc(CHUNKS_PER_PACK * DIGEST_BYTES);
  for (let frame = 0; frame < CHUNKS_PER_PACK; frame += 1) {
    writeDigest(pack * CHUNKS_PER_PACK + frame, digests, frame * DIGEST_BYTES);
  }
  return digests;
}

/** A store whose generated data packs are made when they are asked for, with a real table and frames of one byte. */
export class GeneratedStore implements Store {
  readonly description = 'generated';
  readonly #inner: Store;
  readonly #packs: number;
  readonly #secrets: () => RepositorySecrets;
  readonly #made = new Map<string, Uint8Array>();
  tablesRead = 0;
  indexReads = 0;

  constructor(inner: Store, packs: number, secrets: () => RepositorySecrets) {
    this.#inner = inner;
    this.#packs = packs;
    this.#secrets = secrets;
  }

  putIfAbsent(...put: Parameters<Store['putIfAbsent']>): Promise<'created' | 'exists'> {
    return this.#inner.putIfAbsent(...put);
  }

  async get(name: string, signal?: AbortSignal): Promise<Uint8Array> {
    return this.#make(name) ?? this.#inner.get(name, signal);
  }

  async getRange(name: string, offset: number, into: Uint8Array, signal?: AbortSignal): Promise<void> {
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

  async head(name: string): Promise<StoredObject | null> {
    const made = this.#make(name);
    return made === null ? this.#inner.head(name) : { name, sizeBytes: made.length };
  }

  list(prefix: string): AsyncIterable<StoredObject> {
    return this.#inner.list(prefix);
  }

  delete(name: string): Promise<void> {
    return this.#inner.delete(name);
  }

  flush(): Promise<void> {
    return this.#inner.flush();
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

/** One to one on 32 bits: no two chunks have the same first word. */
function mix(value: number): number {
  let x = value | 0;
  x = Math.imul(x ^ (x >>> 16), 0x85eb_ca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2_ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

/** The chunk whose digest begins with this word, if it is a whole number. */
export function chunkOf(word: number): number {
  return unmix(word) / 4;
}

function unmix(value: number): number {
  let x = Math.imul(value ^ (value >>> 16), 0x7ed1_b41d);
  x = Math.imul(x ^ (x >>> 13) ^ (x >>> 26), 0xa5cb_9243);
  return (x ^ (x >>> 16)) >>> 0;
}
