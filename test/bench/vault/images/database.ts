import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { KIB, MIB } from '../../../../src/kernel/bytes.ts';
import { numbersFrom } from '../../engine-image.ts';

export const PAGE_BYTES = 8 * KIB;
export const DATABASE_FOLDER = 'var/lib/database';
/** Of a table, as databases cut them. */
const TABLE_FILE_BYTES = 64 * MIB;
const LOG_FILE_BYTES = 16 * MIB;
const HEADER_BYTES = 24;
const ROW_BYTES = 120;

/** Where a page lies: the file, below the database's folder, and its offset there. */
export interface PagePlace {
  readonly file: string;
  readonly offset: number;
}

/**
 * A table and its write-ahead log as files, imitated: rows of numbers, a bank's as benchmarks have them, each padded
 * with spaces; pages with a header that every change touches; a log of page images that is written round and round.
 */
export interface DatabaseShape {
  readonly pages: number;
  readonly logFiles: number;
}

export function databaseShape(imageBytes: number): DatabaseShape {
  return {
    pages: Math.floor(imageBytes / 10 / PAGE_BYTES),
    logFiles: Math.max(1, Math.round(imageBytes / 32 / LOG_FILE_BYTES)),
  };
}

/** The page as it is after so many changes; the changes are the same in every run. */
export function makePage(page: number, version: number): Buffer {
  const bytes = Buffer.alloc(PAGE_BYTES);
  const next = numbersFrom(page * 2_654_435 + 97);
  const rows = Math.floor((PAGE_BYTES - HEADER_BYTES) / ROW_BYTES);
  bytes.writeUInt32LE(version * 7919 + page, 0);
  bytes.writeUInt16LE(rows, 12);
  for (let row = 0; row < rows; row += 1) {
    const at = HEADER_BYTES + row * ROW_BYTES;
    bytes.writeUInt32LE(page * rows + row, at);
    bytes.writeUInt32LE(next(1000), at + 4);
    bytes.writeInt32LE(next(2 ** 31), at + 8);
    bytes.fill(' ', at + 24, at + ROW_BYTES);
  }
  for (let change = 1; change <= version; change += 1) {
    const row = numbersFrom(page * 31 + change)(rows);
    bytes.writeInt32LE(next(2 ** 31), HEADER_BYTES + row * ROW_BYTES + 8);
    bytes.writeUInt32LE(change, HEADER_BYTES + row * ROW_BYTES + 12);
  }
  return bytes;
}

export function placeOfPage(page: number): PagePlace {
  const perFile = TABLE_FILE_BYTES / PAGE_BYTES;
  return { file: `table.${Math.floor(page / perFile)}`, offset: (page % perFile) * PAGE_BYTES };
}

/** The `n`-th page image that was ever written to the log. */
export function placeInLog({ logFiles }: DatabaseShape, n: number): PagePlace {
  const perFile = LOG_FILE_BYTES / PAGE_BYTES;
  return { file: `log.${Math.floor(n / perFile) % logFiles}`, offset: (n % perFile) * PAGE_BYTES };
}

/** The files before the day begins. */
export async function writeDatabase(root: string, shape: DatabaseShape): Promise<void> {
  const folder = join(root, DATABASE_FOLDER);
  await mkdir(folder, { recursive: true });
  await writePages(folder, placeOfPage, shape.pages, (page) => makePage(page, 0));
  const imagesInLog = (shape.logFiles * LOG_FILE_BYTES) / PAGE_BYTES;
  const next = numbersFrom(5);
  await writePages(
    folder,
    (n) => placeInLog(shape, n),
    imagesInLog,
    () => makePage(next(shape.pages), 1),
  );
}

async function writePages(
  folder: string,
  place: (n: number) => PagePlace,
  count: number,
  make: (n: number) => Buffer,
): Promise<void> {
  for (let n = 0; n < count;) {
    const { file } = place(n);
    const stream = createWriteStream(join(folder, file));
    for (; n < count && place(n).file === file; n += 1) {
      if (!stream.write(make(n))) {
        await once(stream, 'drain');
      }
    }
    stream.end();
    await finished(stream);
  }
}
