import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isAppError } from '../../src/kernel/errors.ts';
import { buildGoProgram, findGo } from '../../src/platform/embedded/go-program.ts';
import type { SetUpLog } from '../../src/platform/embedded/set-up-log.ts';
import { isExecutable } from '../../src/platform/embedded/temporal-program.ts';
import { withLock } from '../../src/platform/process/file-lock.ts';

const VERSION = '1.8.0';
const PROGRAM = {
  title: `the S3 server versitygw ${VERSION}`,
  goPackage: `github.com/versity/versitygw/cmd/versitygw@v${VERSION}`,
  file: 'versitygw',
  takes: 'about three minutes',
};

export interface ObtainS3Options {
  /** The folder of `cacheFolder()`. */
  readonly cache: string;
  /** The PATH to look for `go` on. */
  readonly path: string;
  readonly log: SetUpLog;
}

export type S3ServerFound = { readonly program: string } | { readonly reason: string };

/** The S3 server that tests run against: from the cache, else built with Go; or why it can't be had. */
export async function obtainVersitygw({ cache, path, log }: ObtainS3Options): Promise<S3ServerFound> {
  const target = join(cache, `versitygw-${VERSION}-${process.platform}-${process.arch}`);
  if (await isExecutable(target)) {
    return { program: target };
  }
  const found = await findGo(path);
  if ('reason' in found) {
    return found;
  }
  await mkdir(cache, { recursive: true });
  try {
    await buildOnce(found.go, target, log);
  } catch (error) {
    if (!isAppError(error, 'ENGINE_SERVER_MISSING')) {
      throw error;
    }
    log(error.message);
    return { reason: error.message };
  }
  return { program: target };
}

async function buildOnce(go: string, target: string, log: SetUpLog): Promise<void> {
  await withLock(
    `${target}.lock`,
    async () => {
      if (!(await isExecutable(target))) {
        await buildGoProgram(go, PROGRAM, target, log);
      }
    },
    { onWait: () => log(`another process is obtaining ${PROGRAM.title}; waiting for it`) },
  );
}
