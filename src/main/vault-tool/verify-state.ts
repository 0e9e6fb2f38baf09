import { readFile } from 'node:fs/promises';
import { AppError, errnoOf } from '../../kernel/errors.ts';
import type { PackRecord, VerifyLevel, VerifyState } from '../../engine/index.ts';
import { replaceFile } from './replace-file.ts';

const SAVE_EVERY_MS = 10_000;

interface VerifiedVault {
  readonly repositoryId: string;
  readonly place: string;
}

interface StateFile {
  /** Whose packs these are: a copy elsewhere has the same names. */
  readonly vault: VerifiedVault;
  readonly level: VerifyLevel;
  /** When the round began, in milliseconds since the epoch. */
  readonly startedAt: number;
  readonly finished: boolean;
  readonly packs: Readonly<Record<string, PackRecord>>;
}

export interface KeptState {
  readonly state: VerifyState;
  /** Packs that were read since then belong to this round already. */
  readonly since: number;
  readonly add: (name: string, record: PackRecord) => void;
  save(finished: boolean): Promise<void>;
}

/**
 * The state in a file, if there is one: a round that was interrupted goes on, one that was finished begins anew. BAD_INPUT
 * where it is of another vault, or of a copy.
 */
export async function keepVerifyState(
  path: string | undefined,
  { vault, level }: { readonly vault: VerifiedVault; readonly level: VerifyLevel },
): Promise<KeptState> {
  const found = path === undefined ? null : await readState(path);
  if (found !== null && !isSame(found.vault, vault)) {
    throw new AppError('BAD_INPUT', `${path} is of ${name(found.vault)}, not of ${name(vault)}.`, {
      hint: 'What was whole there says nothing of what is here. Give another file to --state.',
    });
  }
  const goesOn = found !== null && !found.finished && found.level === level;
  const startedAt = goesOn ? found.startedAt : Date.now();
  const packs: Record<string, PackRecord> = { ...found?.packs };
  let savedAt = Date.now();
  let saving: Promise<void> = Promise.resolve();
  const save = async (finished: boolean): Promise<void> => {
    savedAt = Date.now();
    if (path !== undefined) {
      const text = JSON.stringify({ vault, level, startedAt, finished, packs } satisfies StateFile);
      saving = saving.then(() => replaceFile(path, text));
      await saving;
    }
  };
  return {
    state: { packs: { ...packs } },
    since: startedAt,
    add: (name, record) => {
      packs[name] = record;
      if (Date.now() - savedAt > SAVE_EVERY_MS) {
        save(false).catch(() => undefined); // the next one, or the last, says what is wrong
      }
    },
    save,
  };
}

async function readState(path: string): Promise<StateFile | null> {
  try {
    const found = JSON.parse(await readFile(path, 'utf8')) as Partial<StateFile> | null;
    if (isState(found)) {
      return found;
    }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') {
      return null;
    }
    throw new AppError('BAD_INPUT', `The state file ${path} can't be read.`, {
      hint: 'Remove it to begin anew, or give another one.',
      cause: error,
    });
  }
  throw new AppError('BAD_INPUT', `The file ${path} is not the state of a verification; it was left as it is.`, {
    hint: 'Give another one to --state.',
  });
}

function isSame(one: VerifiedVault, other: VerifiedVault): boolean {
  return one.repositoryId === other.repositoryId && one.place === other.place;
}

function name({ repositoryId, place }: VerifiedVault): string {
  return `vault ${repositoryId} in ${place}`;
}

/** It is to be replaced: it has to be what this program wrote. */
function isState(found: Partial<StateFile> | null): found is StateFile {
  const { vault, level, startedAt, finished, packs } = found ?? {};
  return (
    typeof vault?.repositoryId === 'string' &&
    typeof vault.place === 'string' &&
    [0, 1, 2].includes(level ?? -1) &&
    typeof startedAt === 'number' &&
    typeof finished === 'boolean' &&
    typeof packs === 'object' &&
    packs !== null
  );
}
