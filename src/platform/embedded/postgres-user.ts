import { dirname } from 'node:path';
import { userInfo } from 'node:os';
import { AppError } from '../../kernel/errors.ts';
import { run } from './temporal-program.ts';

/** The user that PostgreSQL runs as, where that can't be the one who started Holdfast. */
export interface ServerUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

const OWN_USER = 'holdfast';
/** In this order; `postgres` is there on machines that have a PostgreSQL package. */
const CANDIDATES = [OWN_USER, 'postgres'];

async function idOf(name: string): Promise<ServerUser | null> {
  try {
    const uid = await run('id', ['-u', name]);
    const gid = await run('id', ['-g', name]);
    return { name, uid: Number(uid.stdout), gid: Number(gid.stdout) };
  } catch {
    return null; // no such user
  }
}

/** Debian's and Red Hat's command, then Alpine's. */
async function createUser(): Promise<void> {
  try {
    await run('useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', OWN_USER]);
  } catch {
    await run('adduser', ['-S', '-D', '-H', OWN_USER]);
  }
}

/**
 * PostgreSQL refuses to run as root. For root this finds, or creates, the user it runs as instead; for everybody else
 * it is undefined. Throws DATA_FOLDER_UNUSABLE when there is no such user and none can be made.
 */
export async function postgresUser(): Promise<ServerUser | undefined> {
  if (userInfo().uid !== 0) {
    return undefined;
  }
  for (const name of CANDIDATES) {
    const found = await idOf(name);
    if (found !== null && found.uid !== 0) {
      return found;
    }
  }
  try {
    await createUser();
  } catch (cause) {
    throw noUser(cause);
  }
  const created = await idOf(OWN_USER);
  if (created === null) {
    throw noUser(undefined);
  }
  return created;
}

function noUser(cause: unknown): AppError {
  return new AppError(
    'DATA_FOLDER_UNUSABLE',
    'PostgreSQL does not run as root, and no user to run it as could be found or created.',
    { hint: `Start Holdfast as another user, or create one: useradd --system ${OWN_USER}`, cause },
  );
}

/** The highest folder on the way to `path`, itself included, that the user may not enter; null when it may enter all. */
export async function firstClosedFolder(path: string, user: ServerUser | undefined): Promise<string | null> {
  const folders = [path];
  while (folders[0] !== undefined && dirname(folders[0]) !== folders[0]) {
    folders.unshift(dirname(folders[0]));
  }
  // Asking the kernel as that user sees access lists and mounts too, which the mode bits don't show.
  const { stdout } = await run(
    '/bin/sh',
    ['-c', 'for d in "$@"; do [ -x "$d" ] || { printf %s "$d"; exit 0; }; done', 'sh', ...folders],
    { cwd: '/', ...(user === undefined ? {} : { uid: user.uid, gid: user.gid }) },
  );
  return stdout === '' ? null : stdout;
}
