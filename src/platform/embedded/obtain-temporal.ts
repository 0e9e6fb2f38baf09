import { join } from 'node:path';
import { AppError, toAppError } from '../../kernel/errors.ts';
import { withLock } from '../process/file-lock.ts';
import { makeFolder } from '../process/make-folder.ts';
import { buildTemporal } from './build-temporal.ts';
import { downloadSiteAnswers, downloadTemporal } from './download-temporal.ts';
import { findGo } from './go-program.ts';
import type { SetUpLog } from './set-up-log.ts';
import {
  cachedTemporalName,
  findOnPath,
  isRecentEnough,
  OLDEST_TEMPORAL_SERVER,
  temporalServerVersion,
} from './temporal-program.ts';

export interface ObtainOptions {
  /** The folder of `cacheFolder()`. */
  readonly cache: string;
  /** The PATH to look for `temporal` and `go` on. */
  readonly path: string;
  readonly log: SetUpLog;
  /** Overrides the SDK's download site; for networks that have a mirror, and for tests. */
  readonly downloadSite?: string;
}

/**
 * The path of a `temporal` program with a server recent enough, from the first place that has one: PATH, the cache,
 * the SDK's download, a build with Go. Throws ENGINE_SERVER_MISSING, saying what to install, when every way is closed.
 */
export async function obtainTemporal(options: ObtainOptions): Promise<string> {
  const installed = await onPath(options);
  if (installed !== null) {
    return installed;
  }
  const target = join(options.cache, cachedTemporalName());
  if (await runs(target)) {
    return target;
  }
  await makeFolder(options.cache, 0o755);
  return await withLock(
    `${target}.lock`,
    async () => {
      if (!(await runs(target))) {
        await fetchOrBuild(target, options);
      }
      return target;
    },
    { onWait: () => options.log('another process is obtaining Temporal; waiting for it') },
  );
}

/** A program that is there in part, or for another machine, is as good as none. */
async function runs(program: string): Promise<boolean> {
  return (await temporalServerVersion(program)) !== null;
}

async function onPath({ path, log }: ObtainOptions): Promise<string | null> {
  const program = await findOnPath('temporal', path);
  const version = program === null ? null : await temporalServerVersion(program);
  if (program === null || version === null) {
    return null;
  }
  if (!isRecentEnough(version)) {
    log(`${program} is not used: its server ${version.join('.')} is older than ${OLDEST_TEMPORAL_SERVER.join('.')}`);
    return null;
  }
  return program;
}

async function fetchOrBuild(target: string, options: ObtainOptions): Promise<void> {
  const tried: string[] = [];
  if (await downloadSiteAnswers(options.downloadSite)) {
    try {
      await downloadTemporal(target, options.log);
    } catch (error) {
      tried.push(`the download failed (${toAppError(error).message})`);
    }
  } else {
    tried.push('its download site does not answer');
  }
  if (await runs(target)) {
    return;
  }
  tried.forEach((why) => options.log(`Temporal: ${why}`));
  const found = await findGo(options.path);
  if ('reason' in found) {
    throw new AppError(
      'ENGINE_SERVER_MISSING',
      `There is no Temporal server on this machine, ${[...tried, `and ${found.reason}`].join(', ')}.`,
      { hint: 'Install Go 1.25 or newer (https://go.dev/dl), or put the program "temporal" on PATH, and start again.' },
    );
  }
  await buildTemporal(found.go, target, options.log);
}
