import { readFile, realpath, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { AppError, errnoOf } from '../../kernel/errors.ts';
import { partialName, type Begun, type FileIdentity } from './partial-file.ts';
import { replaceFile } from './replace-file.ts';

/** What an interrupted restore was of, and where it goes on. */
interface Cursor {
  readonly pointId: string;
  readonly diskKey: string;
  readonly to: string;
  /** Everything below is written, and durable. */
  readonly settledBelow: number;
  /** Of the file that was written; null: a device. */
  readonly partial: FileIdentity | null;
}

export interface ResumeFile {
  readonly from: number;
  /** What was written to before; null: nothing yet. */
  readonly begun: Begun | null;
  /** Whether another restore goes on with what was written to. */
  readonly goesOn: boolean;
  /** From now on a restore goes on with this. */
  begin(begun: Begun): Promise<void>;
  save(settledBelow: number): Promise<void>;
  /** The restore is complete: the next one with this file begins anew. */
  remove(): Promise<void>;
}

/** BAD_INPUT where the file is the restored one, is of another restore, or says what none of a disk of this size does. */
export async function openResumeFile(
  path: string,
  restore: Omit<Cursor, 'settledBelow' | 'partial'>,
  sizeBytes: number,
): Promise<ResumeFile> {
  await requireApart(path, restore.to);
  const found = await readCursor(path);
  if (found !== null) {
    const { pointId, diskKey, to } = found;
    if (pointId !== restore.pointId || diskKey !== restore.diskKey || to !== restore.to) {
      throw new AppError('BAD_INPUT', `${path} is of disk ${diskKey} of restore point ${pointId}, to ${to}.`, {
        hint: 'Repeat that command line to go on with it, or give another file.',
      });
    }
    if (found.settledBelow > sizeBytes) {
      throw meaningless(path);
    }
  }
  let partial = found?.partial ?? null;
  let goesOn = found !== null;
  const save = async (settledBelow: number): Promise<void> =>
    await replaceFile(path, JSON.stringify({ ...restore, settledBelow, partial } satisfies Cursor));
  return {
    from: found?.settledBelow ?? 0,
    begun: found === null ? null : { identity: found.partial },
    get goesOn() {
      return goesOn;
    },
    begin: async ({ identity }) => {
      partial = identity;
      await save(found?.settledBelow ?? 0);
      goesOn = true;
    },
    save,
    remove: async () => await rm(path, { force: true }),
  };
}

/** The cursor is removed in the end: what was restored would go with it. */
async function requireApart(path: string, to: string): Promise<void> {
  const place = await placeOf(path);
  for (const restored of [to, partialName(to)]) {
    if (place === (await placeOf(restored))) {
      throw new AppError('BAD_INPUT', `${path} is where the disk is to be restored to.`, {
        hint: 'Give another file to --resume.',
      });
    }
  }
}

/** Whichever way its folder is named. A folder that is not there is told by who writes to it. */
async function placeOf(path: string): Promise<string> {
  const folder = dirname(resolve(path));
  return join(await realpath(folder).catch(() => folder), basename(path));
}

async function readCursor(path: string): Promise<Cursor | null> {
  try {
    const cursor = JSON.parse(await readFile(path, 'utf8')) as Partial<Cursor> | null;
    if (isCursor(cursor)) {
      return cursor;
    }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') {
      return null;
    }
    if (errnoOf(error) !== undefined) {
      throw new AppError('BAD_INPUT', `${path} can't be read: ${String(errnoOf(error))}.`, { cause: error });
    }
  }
  throw meaningless(path);
}

function isCursor(found: Partial<Cursor> | null): found is Cursor {
  const { settledBelow, partial } = found ?? {};
  const isIdentity = partial === null || [partial?.device, partial?.inode, partial?.born].every(isText);
  return typeof settledBelow === 'number' && Number.isSafeInteger(settledBelow) && settledBelow >= 0 && isIdentity;
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

function meaningless(path: string): AppError {
  return new AppError('BAD_INPUT', `${path} does not say where a restore goes on.`, {
    hint: 'Remove it to begin anew, or give another file.',
  });
}

const SAVE_EVERY_MS = 2000;

/** Keeps the cursor of a restore while it goes on. It is written only after what it speaks of is durable. */
export class CursorKeeper {
  readonly from: number;
  readonly #file: ResumeFile;
  readonly #sync: () => Promise<void>;
  #reached: number;
  #saved: number;
  #savedAt = Date.now();
  #saving: Promise<void> = Promise.resolve();

  constructor(file: ResumeFile, sync: () => Promise<void>) {
    this.from = file.from;
    this.#file = file;
    this.#sync = sync;
    this.#reached = file.from;
    this.#saved = file.from;
  }

  reached(settledBelow: number): void {
    this.#reached = settledBelow;
    if (Date.now() - this.#savedAt > SAVE_EVERY_MS) {
      this.#savedAt = Date.now();
      // A failure is told by the flush at the end, or by the restore's own next write.
      this.flush().catch(() => undefined);
    }
  }

  async flush(): Promise<void> {
    const save = async (): Promise<void> => {
      const settledBelow = this.#reached;
      if (settledBelow > this.#saved) {
        await this.#sync();
        await this.#file.save(settledBelow);
        this.#saved = settledBelow;
      }
    };
    const turn = this.#saving.then(save);
    this.#saving = turn.catch(() => undefined); // told to whoever asked for it
    await turn;
  }
}
