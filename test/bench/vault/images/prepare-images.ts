import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { KIB, MIB } from '../../../../src/kernel/bytes.ts';
import { isThere, type Announce } from '../../../../scripts/peers/peer-program.ts';
import { numbersFrom } from '../../engine-image.ts';
import { compareImages } from './compare-images.ts';
import { databaseShape, writeDatabase } from './database.ts';
import { workADay, type DayOfWork, type DaySystem } from './day-of-work.ts';
import { makeFileSystem } from './file-system.ts';
import { listRealFiles, shareFor, stage, type RealFile } from './real-files.ts';

const execute = promisify(execFile);
/** Raised when the images change: those of before are made anew. */
const RECIPE = 1;
const CHANGE_BYTES = 64 * KIB;
const GIB4 = 4096 * MIB;
/** Of an image, real files; the database takes another tenth and a bit, the rest is free. */
const FILES_SHARE = 0.6;
/** Of the first system's files, those that the second one doesn't have; it has as many others. */
const OTHER_SHARE = 0.12;

export type ChangedImage = 'uniform' | 'heavy' | 'light';
export const CHANGED_IMAGES: readonly ChangedImage[] = ['uniform', 'heavy', 'light'];

export interface Images {
  readonly folder: string;
  readonly sizeBytes: number;
  /** The first system, the second, and the first after changes: files named so in the folder. */
  readonly names: readonly string[];
  /** Numbers of the 64 KiB blocks that differ from the first system's image, as a hypervisor's bitmap has them. */
  readonly changed: Readonly<Record<ChangedImage, readonly number[]>>;
}

/** The images of one size, from the cache or made: real file systems of this machine's real files. */
export async function prepareImages(cache: string, sizeBytes: number, announce: Announce): Promise<Images> {
  const folder = join(cache, `${sizeBytes / MIB}-mib-${RECIPE}`);
  const list = join(folder, 'images.json');
  if (!(await isThere(list))) {
    announce(`making images of ${sizeBytes / MIB} MiB (a few minutes, once) …`);
    await mkdir(dirname(folder), { recursive: true });
    const part = await mkdtemp(`${folder}.part-`);
    try {
      await makeImages(part, sizeBytes, announce);
      await rename(part, folder);
    } finally {
      await rm(part, { recursive: true, force: true });
    }
  }
  const { changed } = JSON.parse(await readFile(list, 'utf8')) as Pick<Images, 'changed'>;
  return { folder, sizeBytes, names: ['base', 'second', ...CHANGED_IMAGES], changed };
}

async function makeImages(folder: string, sizeBytes: number, announce: Announce): Promise<void> {
  const files = await listRealFiles();
  const share = shareFor(files, sizeBytes * FILES_SHARE);
  const others = Math.floor(share * OTHER_SHARE);
  const inside = files.filter(({ draw }) => draw < share);
  const shape = databaseShape(sizeBytes);
  const base = join(folder, 'base');
  await makeSystem(base, sizeBytes, inside, '11111111-2222-4333-8444-555555555555', shape);
  const second = files.filter(({ draw }) => draw >= others && draw < share + others);
  await makeSystem(join(folder, 'second'), sizeBytes, second, '99999999-8888-4777-8666-555555555555', null);
  announce('  two systems made; a day of work …');
  await copyImage(base, join(folder, 'uniform'));
  await rewriteBlocks(join(folder, 'uniform'), sizeBytes);
  const outside = files.filter(({ draw }) => draw >= share + others || share + others > 9_999);
  for (const name of ['heavy', 'light'] as const) {
    const image = join(folder, name);
    const scratch = join(folder, `${name}-scratch`);
    await copyImage(base, image);
    const system: DaySystem = { image, shape, inside, outside, scratch };
    await workADay(system, dayFor(name, sizeBytes));
    await rm(scratch, { recursive: true });
  }
  const changed: Record<string, readonly number[]> = {};
  for (const name of CHANGED_IMAGES) {
    changed[name] = await compareImages(base, join(folder, name), CHANGE_BYTES);
  }
  await writeFile(join(folder, 'images.json'), JSON.stringify({ changed }));
}

/** Of a system of 4 GiB; others in proportion. */
function dayFor(name: 'heavy' | 'light', sizeBytes: number): DayOfWork {
  const scaled = (of4GiB: number): number => Math.max(1, Math.round((of4GiB * sizeBytes) / GIB4));
  return name === 'heavy'
    ? {
        seed: 11,
        transactions: scaled(20_000),
        logLines: scaled(60_000),
        replaced: scaled(150),
        newBytes: scaled(40 * MIB),
        deleted: scaled(100),
      }
    : { seed: 23, transactions: scaled(300), logLines: scaled(2000), replaced: scaled(10), newBytes: 0, deleted: 2 };
}

async function makeSystem(
  image: string,
  sizeBytes: number,
  files: readonly RealFile[],
  uuid: string,
  shape: ReturnType<typeof databaseShape> | null,
): Promise<void> {
  const root = `${image}-root`;
  await stage(files, root);
  await mkdir(join(root, 'var/log'), { recursive: true });
  if (shape !== null) {
    await writeDatabase(root, shape);
  }
  await makeFileSystem(image, sizeBytes, root, uuid);
  await rm(root, { recursive: true });
}

async function copyImage(from: string, to: string): Promise<void> {
  await execute('cp', ['--sparse=always', from, to]);
}

/** Random bytes in one of a hundred blocks, wherever they lie. */
async function rewriteBlocks(image: string, sizeBytes: number): Promise<void> {
  const next = numbersFrom(7919);
  const blocks = sizeBytes / CHANGE_BYTES;
  const data = Buffer.alloc(CHANGE_BYTES);
  const file = await open(image, 'r+');
  try {
    for (let i = 0; i < blocks / 100; i += 1) {
      const block = next(blocks);
      for (let at = 0; at < CHANGE_BYTES; at += 4) {
        data.writeUInt32LE(next(2 ** 32), at);
      }
      await file.write(data, 0, CHANGE_BYTES, block * CHANGE_BYTES);
    }
  } finally {
    await file.close();
  }
}
