import { createHash } from 'node:crypto';
import { copyFile, link, lstat, mkdir, readdir, readlink, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const SOURCE = '/usr';
/** Larger ones would make up too much of a small image by themselves. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;
const BLOCK_BYTES = 4096;
const DRAWS = 10_000;

export interface RealFile {
  readonly path: string;
  readonly bytes: number;
  readonly isLink: boolean;
  /** 0 to 9,999, from the path alone: which files an image takes is decided by it. */
  readonly draw: number;
}

/** The files of this machine's system, in the order of their names. */
export async function listRealFiles(folder: string = SOURCE): Promise<RealFile[]> {
  const files: RealFile[] = [];
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      files.push(...(await listRealFiles(path)));
    } else if (entry.isFile() || entry.isSymbolicLink()) {
      const { size } = await lstat(path);
      if (size <= MAX_FILE_BYTES) {
        files.push({ path, bytes: size, isLink: entry.isSymbolicLink(), draw: drawOf(path) });
      }
    }
  }
  return files;
}

/** Which draws must be taken from 0 on so that the files make up about `bytes`; at most all. */
export function shareFor(files: readonly RealFile[], bytes: number): number {
  const byDraw = Array.from({ length: DRAWS }, () => 0);
  for (const file of files) {
    byDraw[file.draw] = (byDraw[file.draw] ?? 0) + Math.ceil(file.bytes / BLOCK_BYTES) * BLOCK_BYTES;
  }
  let sum = 0;
  for (const [draw, of] of byDraw.entries()) {
    sum += of;
    if (sum > bytes) {
      return draw;
    }
  }
  return DRAWS;
}

/** Files into a folder, linked where that is possible: nothing writes to them. */
export async function stage(files: readonly RealFile[], folder: string): Promise<void> {
  const made = new Set<string>();
  for (const file of files) {
    const target = join(folder, file.path);
    if (!made.has(dirname(target))) {
      await mkdir(dirname(target), { recursive: true });
      made.add(dirname(target));
    }
    if (file.isLink) {
      await symlink(await readlink(file.path), target);
    } else {
      await link(file.path, target).catch(() => copyFile(file.path, target)); // another file system, or not ours to link
    }
  }
}

function drawOf(path: string): number {
  return createHash('sha256').update(path).digest().readUInt32LE(0) % DRAWS;
}
