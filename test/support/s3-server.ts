import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { ServerKeeper } from '../../src/platform/embedded/server-keeper.ts';
import { freePort } from '../../src/platform/process/free-port.ts';

export interface S3Server {
  /** http://127.0.0.1:port */
  readonly endpoint: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** Makes a bucket and returns its name. */
  makeBucket(): Promise<string>;
  /** Makes a bucket that keeps versions and can lock them, and returns its name; for servers with versions. */
  makeLockedBucket(): Promise<string>;
  /** The same buckets behind a server that refuses every change. */
  readonly readOnlyEndpoint: string;
  /** Ends it and removes what it stored. */
  stop(): Promise<void>;
}

const READY_WITHIN_MS = 120_000;

/**
 * A versitygw on a folder of its own. With `versions` it needs extended attributes of the temporary folder's file system:
 * what it keeps in files instead stays behind when a version is deleted, and its name can not be used again.
 */
export async function startS3Server(program: string, { versions = false } = {}): Promise<S3Server> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-s3-'));
  const buckets = join(folder, 'buckets');
  const beside = join(folder, 'beside');
  await Promise.all([mkdir(buckets), mkdir(beside)]);
  const keeper = new ServerKeeper();
  keeper.removeAtEnd(folder);
  const kept = versions ? '--versioning-dir' : '--sidecar';
  const credentials = { accessKeyId: 'holdfast-test', secretAccessKey: randomBytes(20).toString('hex') };
  const run = async (id: string, flags: readonly string[]): Promise<string> => {
    const address = `127.0.0.1:${await freePort()}`;
    await keeper.run({
      id,
      command: program,
      args: ['--port', address, '--keep-alive', '--quiet', ...flags, 'posix', kept, beside, buckets],
      cwd: folder,
      env: {
        PATH: '/usr/bin:/bin',
        HOME: folder,
        TMPDIR: folder,
        ROOT_ACCESS_KEY_ID: credentials.accessKeyId,
        ROOT_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      },
      logFile: join(folder, `${id}.log`),
      stopSignals: ['SIGTERM', 'SIGKILL'],
      graceMs: 3_000,
    });
    await answers(`http://${address}`);
    return `http://${address}`;
  };
  try {
    const endpoint = await run('versitygw', []);
    const readOnlyEndpoint = await run('versitygw-read-only', ['--readonly']);
    let made = 0;
    const makeBucket = async (): Promise<string> => {
      made += 1;
      await mkdir(join(buckets, `bucket-${made}`));
      return `bucket-${made}`;
    };
    const makeLockedBucket = async (): Promise<string> => {
      made += 1;
      await createBucket(endpoint, credentials, `locked-${made}`);
      return `locked-${made}`;
    };
    return { endpoint, credentials, makeBucket, makeLockedBucket, readOnlyEndpoint, stop: () => keeper.close() };
  } catch (error) {
    await keeper.close();
    throw error;
  }
}

async function createBucket(endpoint: string, credentials: S3Server['credentials'], name: string): Promise<void> {
  const client = new S3Client({ region: 'us-east-1', endpoint, forcePathStyle: true, credentials });
  await client.send(new CreateBucketCommand({ Bucket: name, ObjectLockEnabledForBucket: true }));
  client.destroy();
}

async function answers(url: string): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  for (;;) {
    try {
      await (await fetch(url)).arrayBuffer();
      return;
    } catch (cause) {
      if (Date.now() > deadline) {
        throw new Error(`The S3 server at ${url} does not answer.`, { cause });
      }
    }
    await delay(50);
  }
}
