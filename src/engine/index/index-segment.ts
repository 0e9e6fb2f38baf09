import { idBytes, type ObjectId } from '../format/ids.ts';
import { corrupt } from '../format/header.ts';
import { SHORT_DIGEST_BYTES } from '../keys/digest.ts';

const ENTRY_BYTES = SHORT_DIGEST_BYTES + 8;

/** The chunks of one pack, in the order of its frames: 16 bytes of digest each. */
export interface IndexedPack {
  readonly id: ObjectId;
  readonly digests: Uint8Array;
}

/** Count of packs, count of entries; pack ids, sorted; then entries sorted by digest: 16 bytes, pack's position, frame. */
export function encodeIndexSegment(unsorted: readonly IndexedPack[]): Buffer {
  const packs = unsorted.toSorted((a, b) => idBytes(a.id).compare(idBytes(b.id)));
  const entries = packs.flatMap(({ digests }, pack) =>
    Array.from({ length: digests.length / SHORT_DIGEST_BYTES }, (_, frame) => {
      const entry = Buffer.alloc(ENTRY_BYTES);
      entry.set(digests.subarray(frame * SHORT_DIGEST_BYTES, (frame + 1) * SHORT_DIGEST_BYTES), 0);
      entry.writeUInt32LE(pack, 16);
      entry.writeUInt32LE(frame, 20);
      return entry;
    }),
  );
  entries.sort((a, b) => a.compare(b));
  const head = Buffer.alloc(8);
  head.writeUInt32LE(packs.length, 0);
  head.writeUInt32LE(entries.length, 4);
  return Buffer.concat([head, ...packs.map(({ id }) => idBytes(id)), ...entries]);
}

export interface DecodedIndexSegment {
  readonly packs: readonly ObjectId[];
  readonly entries: number;
  /** Packs with a chunk of this digest. */
  packsOf(digest: Uint8Array): readonly ObjectId[];
  visit(use: (digest: Uint8Array, pack: number, frame: number) => void): void;
}

export function decodeIndexSegment(payload: Buffer, name: string): DecodedIndexSegment {
  const packCount = payload.readUInt32LE(0);
  const entries = payload.readUInt32LE(4);
  const start = 8 + 16 * packCount;
  if (payload.length !== start + entries * ENTRY_BYTES) {
    throw corrupt(name, 'has another length than its counts say');
  }
  const packs = Array.from({ length: packCount }, (_, i) => payload.toString('hex', 8 + 16 * i, 24 + 16 * i));
  return {
    packs,
    entries,
    packsOf: (digest) => {
      const found: ObjectId[] = [];
      let low = 0;
      for (let high = entries; low < high;) {
        const middle = (low + high) >> 1;
        const at = start + middle * ENTRY_BYTES;
        [low, high] =
          payload.compare(digest, 0, SHORT_DIGEST_BYTES, at, at + SHORT_DIGEST_BYTES) < 0
            ? [middle + 1, high]
            : [low, middle];
      }
      for (let at = start + low * ENTRY_BYTES; at < payload.length; at += ENTRY_BYTES) {
        if (payload.compare(digest, 0, SHORT_DIGEST_BYTES, at, at + SHORT_DIGEST_BYTES) !== 0) {
          break;
        }
        found.push(packs[payload.readUInt32LE(at + 16)] ?? '');
      }
      return found;
    },
    visit: (use) => {
      for (let at = start; at < payload.length; at += ENTRY_BYTES) {
        use(
          payload.subarray(at, at + SHORT_DIGEST_BYTES),
          payload.readUInt32LE(at + 16),
          payload.readUInt32LE(at + 20),
        );
      }
    },
  };
}
