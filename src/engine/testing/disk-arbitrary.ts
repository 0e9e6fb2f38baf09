import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { KIB } from '../../kernel/bytes.ts';
import type { ByteRange } from '../ports/block-io.ts';

/** A stretch of a disk: zeros, text that compresses, or noise; the same seed is the same content. */
export interface Stretch {
  readonly kind: 'zeros' | 'text' | 'noise';
  readonly seed: number;
  readonly bytes: number;
}

export interface DiskStep {
  readonly changes: readonly { readonly at: number; readonly stretch: Stretch }[];
  /** The disk's size from now on; null: as it was. */
  readonly resize: number | null;
}

export interface DiskHistory {
  readonly first: readonly Stretch[];
  readonly steps: readonly DiskStep[];
}

const BLOCK = 4 * KIB;
const MAX_DISK = 640 * KIB;

const bytes = fc.oneof(
  fc.integer({ min: 1, max: 40 }).map((blocks) => blocks * BLOCK),
  fc.integer({ min: 1, max: 150 * KIB }),
);
const stretch: fc.Arbitrary<Stretch> = fc.record({
  kind: fc.constantFrom('zeros', 'text', 'noise'),
  seed: fc.nat(5),
  bytes,
});
const at = fc.oneof(
  fc.nat(150).map((blocks) => blocks * BLOCK),
  fc.nat(MAX_DISK),
);
const step: fc.Arbitrary<DiskStep> = fc.record({
  changes: fc.array(fc.record({ at, stretch }), { maxLength: 4 }),
  resize: fc.option(
    fc.oneof(
      fc.integer({ min: 1, max: 160 }).map((blocks) => blocks * BLOCK),
      fc.integer({ min: 1, max: MAX_DISK }),
    ),
  ),
});

/** A disk and what happens to it, run by run. */
export const diskHistory: fc.Arbitrary<DiskHistory> = fc.record({
  first: fc.array(stretch, { minLength: 1, maxLength: 8 }),
  steps: fc.array(step, { minLength: 1, maxLength: 3 }),
});

/** A disk with so many runs that layers of its manifest are folded, and that may grow and shrink in between. */
export const longHistory: fc.Arbitrary<DiskHistory> = fc.record({
  first: fc.array(stretch, { minLength: 1, maxLength: 8 }),
  steps: fc.array(step, { minLength: 9, maxLength: 30 }),
});

function fillStretch({ kind, seed, bytes: length }: Stretch): Uint8Array {
  const data = new Uint8Array(length);
  if (kind === 'zeros') {
    return data;
  }
  for (let block = 0, offset = 0; offset < length; block += 1, offset += 32) {
    const digest = createHash('sha256').update(`${seed} ${block}`).digest();
    const piece = kind === 'noise' ? digest : Buffer.alloc(32, digest.toString('hex').slice(0, 3));
    data.set(piece.subarray(0, Math.min(32, length - offset)), offset);
  }
  return data;
}

export function firstDisk({ first }: DiskHistory): Uint8Array {
  return new Uint8Array(Buffer.concat(first.map(fillStretch)));
}

/** The disk after a step, and a change list of it as a tracker would give it: 64 KiB pieces or exact bytes. */
export function applyStep(
  disk: Uint8Array,
  { changes, resize }: DiskStep,
): { after: Uint8Array; changed: ByteRange[] } {
  const after = new Uint8Array(resize ?? disk.length);
  after.set(disk.subarray(0, after.length));
  const changed: ByteRange[] = [];
  for (const { at: offset, stretch: content } of changes) {
    const data = fillStretch(content).subarray(0, Math.max(0, after.length - offset));
    if (data.length > 0) {
      after.set(data, offset);
      const start = content.seed % 2 === 0 ? Math.floor(offset / (64 * KIB)) * 64 * KIB : offset;
      changed.push({ offset: start, length: offset + data.length - start });
    }
  }
  return { after, changed };
}
