import { createHash } from 'node:crypto';
import { KIB } from '../../src/kernel/bytes.ts';
import type { ByteRange } from '../../src/engine/index.ts';
import { Random } from './random.ts';

type Content = 'zeros' | 'text' | 'noise';

interface Edit {
  readonly at: number;
  readonly bytes: number;
  readonly content: Content;
  readonly seed: number;
}

/** How a disk came to be; small enough to be sent to another process. */
export interface DiskRecipe {
  readonly sizeBytes: number;
  /** A resize is an edit of no bytes at the new end. */
  readonly edits: readonly (Edit & { readonly sizeBytes: number })[];
}

export interface DiskChange {
  readonly recipe: DiskRecipe;
  /** What a tracker would say that changed. */
  readonly changed: readonly ByteRange[];
}

const BLOCK = 4 * KIB;
const CONTENTS: readonly Content[] = ['noise', 'noise', 'noise', 'text', 'zeros'];

export function newDisk(random: Random, maxBytes: number): DiskRecipe {
  let recipe: DiskRecipe = { sizeBytes: random.between(40, Math.floor(maxBytes / KIB)) * KIB, edits: [] };
  for (let at = 0; at < recipe.sizeBytes;) {
    const bytes = Math.min(recipe.sizeBytes - at, random.between(1, 60) * BLOCK);
    recipe = edited(recipe, { at, bytes, content: random.pick(CONTENTS), seed: random.int(40) });
    at += bytes;
  }
  return recipe;
}

/** What a while of a machine's life does to its disk. */
export function changeDisk(recipe: DiskRecipe, random: Random, maxBytes: number): DiskChange {
  const changed: ByteRange[] = [];
  let after = recipe;
  if (random.chance(0.15)) {
    const sizeBytes = random.between(40, Math.floor(maxBytes / KIB)) * KIB;
    const [small, large] = [Math.min(sizeBytes, recipe.sizeBytes), Math.max(sizeBytes, recipe.sizeBytes)];
    changed.push({ offset: small, length: large - small });
    after = edited({ ...recipe, sizeBytes }, { at: 0, bytes: 0, content: 'zeros', seed: 0 });
  }
  for (let edit = random.int(5); edit >= 0; edit -= 1) {
    const at = random.chance(0.5) ? random.int(after.sizeBytes) : random.int(after.sizeBytes / BLOCK) * BLOCK;
    const bytes = Math.min(after.sizeBytes - at, random.between(1, 100 * KIB));
    after = edited(after, { at, bytes, content: random.pick(CONTENTS), seed: random.int(40) });
    const start = random.chance(0.5) ? Math.floor(at / (64 * KIB)) * 64 * KIB : at;
    changed.push({ offset: start, length: at + bytes - start });
  }
  return { recipe: after, changed };
}

export function renderDisk(recipe: DiskRecipe): Uint8Array {
  let data = new Uint8Array(recipe.edits[0]?.sizeBytes ?? recipe.sizeBytes);
  for (const { at, bytes, content, seed, sizeBytes } of recipe.edits) {
    if (sizeBytes !== data.length) {
      const resized = new Uint8Array(sizeBytes);
      resized.set(data.subarray(0, sizeBytes));
      data = resized;
    }
    fill(data.subarray(at, at + bytes), content, seed);
  }
  return data;
}

export function sha256(data: Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

function edited(recipe: DiskRecipe, edit: Edit): DiskRecipe {
  return { sizeBytes: recipe.sizeBytes, edits: [...recipe.edits, { ...edit, sizeBytes: recipe.sizeBytes }] };
}

function fill(into: Uint8Array, content: Content, seed: number): void {
  if (content === 'zeros') {
    into.fill(0);
    return;
  }
  if (content === 'text') {
    into.set(Buffer.alloc(into.length, `line ${seed} of a log that says the same again\n`));
    return;
  }
  let state = (seed + 1) * 0x9e3779b9;
  for (let at = 0; at < into.length; at += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    into[at] = state;
  }
}
