import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DeleteObjectCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  PutObjectRetentionCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { KIB } from '../../src/kernel/bytes.ts';
import { dateOf, systemClock } from '../../src/kernel/clock.ts';
import {
  createRepository,
  DirectoryStore,
  FileKeyRing,
  MemoryLeases,
  openRepository,
  type DiskResult,
  type OpenRepositoryOptions,
  type RetentionMode,
} from '../../src/engine/index.ts';
import { S3Store } from '../../src/engine/stores/s3-store.ts';
import { MemoryDisk, restore, sameBytes, SMALL_PARAMETERS } from '../../src/engine/testing/test-vault.ts';
import { startS3Server, type S3Server } from '../support/s3-server.ts';
import { namesIn } from './store-suite.ts';

const found = inject('s3Server');
const DAY = 86_400_000;

function ignoreRefusal(error: unknown): void {
  if (!(error instanceof S3ServiceException)) {
    throw error;
  }
}

async function collected<T>(items: AsyncIterable<T> | Iterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) {
    all.push(item);
  }
  return all;
}

describe.skipIf('reason' in found)('an immutable vault in an S3 bucket', () => {
  let server: S3Server;
  let attacker: S3Client;
  let bucket: string;
  let folder: string;
  let store: S3Store;
  let options: OpenRepositoryOptions;

  const open = (prefix: string, retention: RetentionMode): S3Store => {
    const { endpoint, credentials } = server;
    return new S3Store({ bucket, prefix, region: 'us-east-1', endpoint, credentials, retention });
  };

  beforeAll(async () => {
    server = await startS3Server('program' in found ? found.program : '', { versions: true });
    const { endpoint, credentials } = server;
    attacker = new S3Client({ region: 'us-east-1', endpoint, forcePathStyle: true, credentials });
    bucket = await server.makeLockedBucket();
    folder = await mkdtemp(join(tmpdir(), 'holdfast-immutable-'));
    store = open('vault', 'compliance');
    const ids = { tenantId: randomUUID(), repositoryId: randomUUID() };
    const ports = { keyRing: new FileKeyRing(folder), clock: systemClock, leases: new MemoryLeases(systemClock) };
    options = { ...ids, ...ports, store, workers: 1 };
  });

  afterAll(async () => {
    attacker.destroy();
    store[Symbol.dispose]();
    await rm(folder, { recursive: true });
    await server.stop();
  });

  /** Everything that credentials of the store can do to its objects; returns which versions are left. */
  async function destroyAll(): Promise<string[]> {
    const { Versions = [] } = await attacker.send(new ListObjectVersionsCommand({ Bucket: bucket }));
    for (const { Key, VersionId } of Versions) {
      const version = { Bucket: bucket, Key, VersionId };
      const soon = { Mode: 'COMPLIANCE', RetainUntilDate: dateOf(systemClock.now() + 1000) } as const;
      const remove = new DeleteObjectCommand({ ...version, BypassGovernanceRetention: true });
      await attacker.send(remove).catch(ignoreRefusal);
      const shorten = { ...version, Retention: soon, BypassGovernanceRetention: true };
      await attacker.send(new PutObjectRetentionCommand(shorten)).catch(ignoreRefusal);
      await attacker.send(remove).catch(ignoreRefusal);
      await attacker.send(new DeleteObjectCommand({ Bucket: bucket, Key }));
      await attacker.send(new PutObjectCommand({ Bucket: bucket, Key, Body: 'forged' }));
    }
    const first = new Set(Versions.map(({ VersionId }) => VersionId));
    const { Versions: after = [] } = await attacker.send(new ListObjectVersionsCommand({ Bucket: bucket }));
    return after.filter(({ VersionId }) => first.has(VersionId)).map(({ Key = '' }) => Key.replace('vault/', ''));
  }

  test('restores byte for byte after somebody with its credentials did their worst', async () => {
    await createRepository({ ...options, parameters: SMALL_PARAMETERS, immutable: true });
    const data = new Uint8Array(randomBytes(300 * KIB));
    const retainUntil = systemClock.now() + DAY;
    const [sessionId, pointId] = [randomUUID(), randomUUID()];
    {
      await using repository = await openRepository(options);
      await repository.beginSession({ sessionId, pointId, purpose: 'backup', pins: [] });
      const disk = { sessionId, diskKey: 'xvda', sizeBytes: data.length, source: new MemoryDisk(data) };
      const disks: DiskResult[] = [await repository.writeDisk({ ...disk, sampleBytes: 0 })];
      const about = { vmId: 'vm', takenAt: 1, config: new Uint8Array(0), info: {} };
      const point = await repository.commitPoint({ sessionId, pointId, disks, retainUntil, ...about });
      expect(point.lockedUntil).toBeGreaterThanOrEqual(retainUntil);
      await repository.endSession(sessionId);
    }
    const needed = (await namesIn(store, '')).filter((name) => /^(data|meta|points|repo)/.test(name));
    const dates = await Promise.all(needed.map(async (name) => store.retention?.lockedUntil(name)));
    expect(dates.filter((date) => (date ?? 0) < retainUntil)).toEqual([]);

    const left = await destroyAll();
    expect(left).toEqual(expect.arrayContaining(needed));
    expect(left.some((name) => name.startsWith('index/'))).toBe(false);

    const fresh = open('vault', 'compliance');
    await using repository = await openRepository({ ...options, store: fresh });
    expect(sameBytes(await restore(repository, pointId, 'xvda'), data)).toBe(true);
    expect(await collected(repository.listPoints())).toMatchObject([{ pointId }]);
    const meddled = await collected(fresh.retention?.meddled('points/') ?? []);
    expect(meddled).toMatchObject([{ name: `points/${pointId}` }]);
    fresh[Symbol.dispose]();
  });

  test('is not begun where versions can be deleted', async () => {
    const weak = open('weak', 'governance');
    const refused = { code: 'VAULT_NOT_IMMUTABLE' };
    const create = { ...options, repositoryId: randomUUID(), immutable: true };
    await expect(createRepository({ ...create, store: weak })).rejects.toMatchObject(refused);
    expect(await weak.head('repo.0')).toBe(null);
    weak[Symbol.dispose]();
    const directory = new DirectoryStore(folder);
    await expect(createRepository({ ...create, store: directory })).rejects.toMatchObject(refused);
    expect(await directory.head('repo.0')).toBe(null);
  });
});
