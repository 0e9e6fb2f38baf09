import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

export const run = promisify(execFile);

/** The release of Temporal's command line program that Holdfast builds, and the server inside it. */
export const TEMPORAL_CLI_VERSION = '1.5.1';
/** Dispatch by fairness key came with this server. */
export const OLDEST_TEMPORAL_SERVER = [1, 29] as const;

/** Its name in the cache says version and platform, so that a newer Holdfast never picks up an older build. */
export function cachedTemporalName(): string {
  return `temporal-cli-${TEMPORAL_CLI_VERSION}-${process.platform}-${process.arch}`;
}

export async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false; // not there, or not a program: the same to the caller
  }
}

/** The first program of that name on a PATH, or null. */
export async function findOnPath(name: string, path: string): Promise<string | null> {
  for (const folder of path.split(delimiter)) {
    const candidate = join(folder, name);
    if (folder.startsWith('/') && (await isExecutable(candidate))) {
      return candidate;
    }
  }
  return null;
}

/** Asks a `temporal` program which server it carries: `[1, 29]`, or null when it doesn't say. */
export async function temporalServerVersion(program: string): Promise<readonly [number, number] | null> {
  try {
    const { stdout } = await run(program, ['--version'], { timeout: 60_000 });
    const match = /Server (\d+)\.(\d+)/.exec(stdout);
    return match === null ? null : [Number(match[1]), Number(match[2])];
  } catch {
    return null; // it doesn't run here, so it is no candidate
  }
}

export function isRecentEnough(version: readonly [number, number]): boolean {
  const [major, minor] = OLDEST_TEMPORAL_SERVER;
  return version[0] > major || (version[0] === major && version[1] >= minor);
}
