import { keyedDigest, SHORT_DIGEST_BYTES } from '../keys/digest.ts';
import type { RepositorySecrets } from '../keys/key-schedule.ts';
import type { Store } from '../ports/store.ts';
import { decompress } from './compress.ts';
import { corrupt, decodeHeader, HEADER_BYTES, OBJECT_KIND, type ObjectKind } from './header.ts';
import type { ObjectId } from './ids.ts';
import { packName, type PackArea } from './names.ts';
import { FOOTER_BYTES, MAX_FRAMES, TABLE_ENTRY_BYTES } from './pack-builder.ts';
import { decodeFooter, openKeys, openTable, sealContext, type Footer } from './sealed-object.ts';
import { freeAtOnce, Sealer, TAG_BYTES, type SealContext } from './seal.ts';

const TAIL_BYTES = 64 * 1024;

export interface Frame {
  readonly ordinal: number;
  readonly digest: Uint8Array;
  readonly offset: number;
  readonly sealedBytes: number;
  readonly rawBytes: number;
  readonly codec: number;
}

/** What is needed to open frames of one pack; plain, so that workers can be given it. */
export interface PackOpener {
  readonly name: string;
  readonly frameKey: Uint8Array;
  readonly context: SealContext;
}

/** A pack's table, opened and checked. */
export class PackTable {
  readonly opener: PackOpener;
  readonly sizeBytes: number;
  readonly #table: Buffer;

  constructor(opener: PackOpener, sizeBytes: number, table: Buffer) {
    this.opener = opener;
    this.sizeBytes = sizeBytes;
    this.#table = table;
  }

  get frameCount(): number {
    return this.#table.length / TABLE_ENTRY_BYTES;
  }

  frame(ordinal: number): Frame {
    const at = ordinal * TABLE_ENTRY_BYTES;
    if (ordinal >= this.frameCount) {
      throw corrupt(this.opener.name, `has ${this.frameCount} frames; one more was asked for: ${ordinal}`);
    }
    return {
      ordinal,
      digest: this.#table.subarray(at, at + 32),
      offset: this.#table.readUInt32LE(at + 32),
      sealedBytes: this.#table.readUInt32LE(at + 36),
      rawBytes: this.#table.readUInt32LE(at + 40),
      codec: this.#table.readUInt8(at + 44),
    };
  }

  /** Of all frames, in their order, the first 16 bytes of the digest. */
  shortDigests(): Uint8Array {
    const digests = new Uint8Array(this.frameCount * SHORT_DIGEST_BYTES);
    for (let frame = 0; frame < this.frameCount; frame += 1) {
      const at = frame * TABLE_ENTRY_BYTES;
      this.#table.copy(digests, frame * SHORT_DIGEST_BYTES, at, at + SHORT_DIGEST_BYTES);
    }
    return digests;
  }

  /** The frame with a digest that begins like this. */
  find(shortDigest: Uint8Array): Frame | null {
    const wanted = Buffer.from(shortDigest.buffer, shortDigest.byteOffset, SHORT_DIGEST_BYTES);
    for (let at = 0; at < this.#table.length; at += TABLE_ENTRY_BYTES) {
      if (wanted.compare(this.#table, at, at + SHORT_DIGEST_BYTES) === 0) {
        return this.frame(at / TABLE_ENTRY_BYTES);
      }
    }
    return null;
  }
}

/** Reads header, footer and table: two requests, rarely three. */
export async function readPackTable(
  store: Store,
  area: PackArea,
  id: ObjectId,
  secrets: RepositorySecrets,
  signal?: AbortSignal,
): Promise<PackTable> {
  const name = packName(area, id);
  const found = await store.head(name);
  if (found === null) {
    throw corrupt(name, 'is missing from the store');
  }
  const kind = area === 'data' ? OBJECT_KIND.dataPack : OBJECT_KIND.metaPack;
  const read: ReadRange = (offset, into) => store.getRange(name, offset, into, signal);
  return readFrameTable(read, { name, id, kind, sizeBytes: found.sizeBytes }, secrets);
}

/** Fills `into` from `offset` on. */
export type ReadRange = (offset: number, into: Uint8Array) => Promise<void>;

/** The table of any object that has frames. */
export async function readFrameTable(
  read: ReadRange,
  object: { readonly name: string; readonly id: ObjectId; readonly kind: ObjectKind; readonly sizeBytes: number },
  secrets: RepositorySecrets,
): Promise<PackTable> {
  const { name, sizeBytes } = object;
  const last = await readLast(read, sizeBytes, Math.min(sizeBytes, TAIL_BYTES));
  const head = new Uint8Array(HEADER_BYTES);
  await read(0, head);
  const header = decodeHeader(head, name);
  if (header.id !== object.id || header.kind !== object.kind) {
    throw corrupt(name, 'is another pack than its name says');
  }
  const footer = decodeFooter(last, sizeBytes, name);
  // Before a table is read that may be as long as whoever put it wants; header and commitment can be copied.
  const keys = openKeys(header, footer, name, secrets);
  requireTableBytes(footer, name);
  const wanted = footer.tableBytes + FOOTER_BYTES;
  const tail = wanted <= last.length ? last : await readLast(read, sizeBytes, wanted);
  const context = sealContext(header, secrets);
  const end = tail.length - FOOTER_BYTES;
  const table = openTable(tail.subarray(end - footer.tableBytes, end), footer, context, { keys, name });
  freeAtOnce(tail);
  return new PackTable({ name, frameKey: keys.frameKey, context }, sizeBytes, table);
}

function requireTableBytes({ tableBytes, frameCount }: Footer, name: string): void {
  if (frameCount > MAX_FRAMES || tableBytes !== frameCount * TABLE_ENTRY_BYTES + TAG_BYTES) {
    throw corrupt(name, `has a table of ${tableBytes} bytes for ${frameCount} frames, which none has`);
  }
}

async function readLast(read: ReadRange, size: number, length: number): Promise<Uint8Array> {
  const tail = new Uint8Array(length);
  await read(size - length, tail);
  return tail;
}

/** Opens frames of one pack, checking tag, length and digest. */
export class FrameOpener {
  readonly #opener: PackOpener;
  readonly #sealer: Sealer;
  readonly #digestKey: Uint8Array;

  constructor(opener: PackOpener, digestKey: Uint8Array) {
    this.#opener = opener;
    this.#sealer = new Sealer(opener.frameKey, opener.context);
    this.#digestKey = digestKey;
  }

  open(frame: Frame, sealed: Uint8Array): Uint8Array {
    const raw = new Uint8Array(frame.rawBytes);
    this.openInto(frame, sealed, raw);
    return raw;
  }

  /** `raw` has room for exactly the frame; what it holds is of no use if this throws. */
  openInto(frame: Frame, sealed: Uint8Array, raw: Uint8Array): void {
    try {
      const packed = this.#sealer.open(frame, sealed);
      decompress(frame.codec, packed, raw);
      freeAtOnce(packed);
    } catch (error) {
      throw corrupt(this.#opener.name, `has a damaged frame ${frame.ordinal}`, error);
    }
    if (!keyedDigest(this.#digestKey, raw).equals(frame.digest)) {
      throw corrupt(this.#opener.name, `has a frame ${frame.ordinal} with another content than its digest`);
    }
  }
}

/** Whether a frame is the one that a manifest or index named. */
export function hasShortDigest(frame: Frame, digest: Uint8Array): boolean {
  return Buffer.compare(frame.digest.subarray(0, SHORT_DIGEST_BYTES), digest) === 0;
}
