import { execFile } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { link, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { promisify } from 'node:util';
import type { Images } from './images/prepare-images.ts';

const run = promisify(execFile);

/** Where the measuring happens: the folder that is backed up, with one file in it, and the repositories. */
export class Workshop {
  readonly images: Images;
  readonly #folder: string;

  /** `folder`, of its caller's, is on the same file system as the images. */
  constructor(folder: string, images: Images) {
    this.#folder = folder;
    this.images = images;
  }

  get source(): string {
    return join(this.#folder, 'source');
  }

  get disk(): string {
    return join(this.source, 'disk.img');
  }

  imagePath(name: string): string {
    return join(this.images.folder, name);
  }

  repository(side: string, round: number): string {
    return join(this.#folder, 'repositories', `${side.replaceAll(/\W+/g, '-')}-${round}`);
  }

  /** Makes an image the disk that is backed up. */
  async insert(name: string): Promise<void> {
    await mkdir(this.source, { recursive: true });
    await rm(this.disk, { force: true });
    await link(this.imagePath(name), this.disk);
  }

  /** No side pays for what another one left to be written, or pushed out of memory: the disk and the repository are read. */
  async warm(repository: string): Promise<void> {
    await run('sync');
    await readAll(this.disk);
    for (const { path } of await filesIn(repository)) {
      await readAll(path);
    }
  }

  async storedBytes(repository: string): Promise<number> {
    return (await filesIn(repository)).reduce((sum, { bytes }) => sum + bytes, 0);
  }
}

async function readAll(path: string): Promise<void> {
  await finished(createReadStream(path, { highWaterMark: 4 * 1024 * 1024 }).resume());
}

async function filesIn(folder: string): Promise<{ path: string; bytes: number }[]> {
  const files: { path: string; bytes: number }[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) {
      const path = join(entry.parentPath, entry.name);
      files.push({ path, bytes: (await stat(path)).size });
    }
  }
  return files;
}
