import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KIB, MIB } from '../../../../src/kernel/bytes.ts';
import { numbersFrom } from '../../engine-image.ts';
import { DATABASE_FOLDER, makePage, placeInLog, placeOfPage, type DatabaseShape } from './database.ts';
import { changeFileSystem, InPlaceWriter } from './file-system.ts';
import type { RealFile } from './real-files.ts';

/** What happens to a system between two backups. */
export interface DayOfWork {
  readonly seed: number;
  /** Each changes a page of the table in place; the first change of a page puts its image into the log. */
  readonly transactions: number;
  readonly logLines: number;
  /** Files that an upgrade replaces. */
  readonly replaced: number;
  readonly newBytes: number;
  readonly deleted: number;
}

export interface DaySystem {
  readonly image: string;
  readonly shape: DatabaseShape;
  /** In the image. */
  readonly inside: readonly RealFile[];
  /** Of the machine, not in the image. */
  readonly outside: readonly RealFile[];
  /** For files on their way into the image. */
  readonly scratch: string;
}

/** A database at work, in place; then logs, an upgrade, new files and deletions, through the file system's own tools. */
export async function workADay(system: DaySystem, day: DayOfWork): Promise<void> {
  await runDatabase(system, day);
  await mkdir(system.scratch, { recursive: true });
  const commands = [...(await writeLogs(system, day)), ...(await upgrade(system, day)), ...addAndDelete(system, day)];
  const file = join(system.scratch, 'commands');
  await writeFile(file, `${commands.join('\n')}\n`);
  await changeFileSystem(system.image, file);
}

async function runDatabase({ image, shape }: DaySystem, { seed, transactions }: DayOfWork): Promise<void> {
  const next = numbersFrom(seed);
  const versions = new Map<number, number>();
  const writer = await InPlaceWriter.open(image);
  try {
    for (let n = 0; n < transactions; n += 1) {
      const page = next(shape.pages);
      const version = (versions.get(page) ?? 0) + 1;
      const data = makePage(page, version);
      if (version === 1) {
        const log = placeInLog(shape, versions.size);
        await writer.write(`${DATABASE_FOLDER}/${log.file}`, log.offset, data);
      }
      const { file, offset } = placeOfPage(page);
      await writer.write(`${DATABASE_FOLDER}/${file}`, offset, data);
      versions.set(page, version);
    }
  } finally {
    await writer.close();
  }
}

async function writeLogs({ scratch }: DaySystem, { seed, logLines }: DayOfWork): Promise<string[]> {
  const next = numbersFrom(seed + 1);
  const lines = Array.from({ length: logLines }, (_, i) => {
    const time = new Date(1_780_000_000_000 + i * 1400).toISOString();
    return `${time} host-${next(4)} service[${next(32_768)}]: request ${next(2 ** 31).toString(16)} took ${next(900)} ms`;
  });
  const local = join(scratch, 'messages');
  await writeFile(local, lines.join('\n'));
  return [`write ${local} /var/log/messages.${seed}`];
}

/** A new version of a file is mostly the old one, with pieces put in and changed: it lies elsewhere afterwards. */
async function upgrade({ inside, scratch }: DaySystem, { seed, replaced }: DayOfWork): Promise<string[]> {
  const next = numbersFrom(seed + 2);
  const candidates = plain(inside).filter(({ bytes }) => bytes > 16 * KIB && bytes < 4 * MIB);
  const commands: string[] = [];
  for (const [i, file] of pick(candidates, replaced, next).entries()) {
    const old = await readFile(file.path);
    const cut = next(old.length);
    const piece = Buffer.from(`version ${seed}.${i}`);
    const local = join(scratch, `upgrade-${i}`);
    await writeFile(local, Buffer.concat([old.subarray(0, cut), piece, old.subarray(cut)]));
    commands.push(`rm ${file.path}`, `write ${local} ${file.path}`);
  }
  return commands;
}

function addAndDelete({ inside, outside }: DaySystem, { seed, newBytes, deleted }: DayOfWork): string[] {
  const next = numbersFrom(seed + 3);
  const commands: string[] = ['mkdir /srv'];
  let bytes = 0;
  for (const [i, file] of pick(plain(outside), outside.length, next).entries()) {
    if (bytes >= newBytes) {
      break;
    }
    bytes += file.bytes;
    commands.push(`write ${file.path} /srv/new-${i}`);
  }
  const gone = pick(
    plain(inside).filter((file) => file.bytes <= 16 * KIB),
    deleted,
    next,
  );
  return [...commands, ...gone.map((file) => `rm ${file.path}`)];
}

/** Files that debugfs can be told of: its command language knows no quotes in names. */
function plain(files: readonly RealFile[]): RealFile[] {
  return files.filter(({ path, isLink }) => !isLink && /^[\w./+-]+$/.test(path));
}

function pick(files: readonly RealFile[], count: number, next: (below: number) => number): RealFile[] {
  const left = [...files];
  const picked: RealFile[] = [];
  while (picked.length < count && left.length > 0) {
    picked.push(...left.splice(next(left.length), 1));
  }
  return picked;
}
