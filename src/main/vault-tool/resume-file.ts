import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { AppError, errnoOf } from '../../kernel/errors.ts';

/** What an interrupted restore was of, and where it goes on. */
interface Cursor {
  readonly pointId: string;
  readonly diskKey: string;
  readonly to: string;
  /** Everything below is written, and durable. */
  readonly settledBelow: number;
}

export interface ResumeFile {
  readonly from: number;
  save(settledBelow: number): Promise<void>;
  /** The restore is complete: the next one with this file begins anew. */
  remove(): Promise<void>;
}

/** BAD_INPUT where the file is of another restore. */
export async function openResumeFile(path: string, restore: Omit<Cursor, 'settledBelow'>): Promise<ResumeFile> {
  const found = await readCursor(path);
  if (found !== null) {
    const { pointId, diskKey, to } = found;
    if (pointId !== restore.pointId || diskKey !== restore.diskKey || to !== restore.to) {
      throw new AppError('BAD_INPUT', `${path} is of disk ${diskKey} of restore point ${pointId}, to ${to}.`, {
        hint: 'Repeat that command line to go on with it, or give another file.',
      });
    }
  }
  return {
    from: found?.settledBelow ?? 0,
    save: async (settledBelow) => {
      await writeFile(`${path}.new`, JSON.stringify({ ...restore, settledBelow } satisfies Cursor), { flush: true });
      await rename(`${path}.new`, path);
    },
    remove: async () => await rm(path, { force: true }),
  };
}

async function readCursor(path: string): Promise<Cursor | null> {
  try {
    const cursor = JSON.parse(await readFile(path, 'utf8')) as Partial<Cursor>;
    if (typeof cursor.settledBelow === 'number' && cursor.settledBelow >= 0) {
      return cursor as Cursor;
    }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') {
      return null;
    }
    if (errnoOf(error) !== undefined) {
      throw new AppError('BAD_INPUT', `${path} can't be read: ${String(errnoOf(error))}.`, { cause: error });
    }
  }
  throw new AppError('BAD_INPUT', `${path} does not say where a restore goes on.`, {
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
