import { firstIndex } from '../../kernel/first-index.ts';
import { idBytes, type ObjectId } from '../format/ids.ts';
import { SHORT_DIGEST_BYTES } from '../keys/digest.ts';

/** Of a chunk's digest, as much as an index entry holds: whoever meets a pack looks into its table anyway. */
export const KEY_BYTES = 8;
export const ENTRY_BYTES = KEY_BYTES + 16;

/** The chunks of one pack, in the order of its frames: 16 bytes of digest each. */
export interface IndexedPack {
  readonly id: ObjectId;
  readonly digests: Uint8Array;
}

/** Entries of an index: sorted, each the first 8 bytes of a digest and the id of a pack that has such a chunk. */
export function sortEntries(packs: readonly IndexedPack[]): Buffer {
  const count = packs.reduce((sum, { digests }) => sum + digests.length / SHORT_DIGEST_BYTES, 0);
  const unsorted = Buffer.alloc(count * ENTRY_BYTES);
  let at = 0;
  for (const { id, digests } of packs) {
    const pack = idBytes(id);
    for (let from = 0; from < digests.length; from += SHORT_DIGEST_BYTES, at += ENTRY_BYTES) {
      unsorted.set(digests.subarray(from, from + KEY_BYTES), at);
      unsorted.set(pack, at + KEY_BYTES);
    }
  }
  // Numbers are compared faster than bytes; few entries need more than their first 32 bits.
  const high = Uint32Array.from({ length: count }, (_, i) => unsorted.readUInt32BE(i * ENTRY_BYTES));
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  order.sort(
    (a, b) => (high[a] ?? 0) - (high[b] ?? 0) || compareEntries(unsorted, a * ENTRY_BYTES, unsorted, b * ENTRY_BYTES),
  );
  const sorted = Buffer.alloc(unsorted.length);
  let used = 0;
  for (const index of order) {
    const entry = index * ENTRY_BYTES;
    const isAgain = used > 0 && compareEntries(unsorted, entry, sorted, used - ENTRY_BYTES) === 0;
    used += isAgain ? 0 : unsorted.copy(sorted, used, entry, entry + ENTRY_BYTES);
  }
  return sorted.subarray(0, used);
}

/** By key, then by pack. */
export function compareEntries(a: Buffer, atA: number, b: Buffer, atB: number): number {
  return (
    a.readUInt32BE(atA) - b.readUInt32BE(atB) ||
    a.readUInt32BE(atA + 4) - b.readUInt32BE(atB + 4) ||
    a.compare(b, atB + KEY_BYTES, atB + ENTRY_BYTES, atA + KEY_BYTES, atA + ENTRY_BYTES)
  );
}

/** Adds the packs of all entries that have this key. */
export function collectPacks(entries: Buffer, digest: Buffer, into: Set<ObjectId>): void {
  const first = firstIndex(
    entries.length / ENTRY_BYTES,
    (index) => compareKey(digest, entries, index * ENTRY_BYTES) <= 0,
  );
  for (let at = first * ENTRY_BYTES; at < entries.length && compareKey(digest, entries, at) === 0; at += ENTRY_BYTES) {
    into.add(packAt(entries, at));
  }
}

export function packAt(entries: Buffer, at: number): ObjectId {
  return entries.toString('hex', at + KEY_BYTES, at + ENTRY_BYTES);
}

function compareKey(digest: Buffer, entries: Buffer, at: number): number {
  return digest.readUInt32BE(0) - entries.readUInt32BE(at) || digest.readUInt32BE(4) - entries.readUInt32BE(at + 4);
}
