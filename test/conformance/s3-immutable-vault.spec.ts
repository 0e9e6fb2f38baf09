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
  beginKeyGeneration,
  createRepository,
  DirectoryStore,
  FileKeyRing,
  MemoryLeases,
  openRepository,
  type DiskResult,
  type OpenRepositoryOptions,
  type PointSummary,
  type Repository,
  type RetentionMode,
} from '../../src/engine/index.ts';
import { S3Store } from '../../src/engine/stores/s3-store.ts';
import {
  backup,
  createTestVault,
  MemoryDisk,
  restore,
  sameBytes,
  SMALL_PARAMETERS,
} from '../../src/engine/testing/test-vault.ts';
import { collected } from '../support/collected.ts';
import { startS3Server, type S3Server } from '../support/s3-server.ts';
import { namesIn } from './store-suite.ts';

const found = inject('s3Server');
const DAY = 86_400_000;
const FAR = 999_999_999;

function ignoreRefusal(error: unknown): void {
  if (!(error instanceof S3ServiceException)) {
    throw error;
  }
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

  interface Written {
    readonly sessionId: string;
    readonly pointId: string;
    readonly disks: DiskResult[];
  }

  async function write(repository: Repository, data: Uint8Array, retainUntil?: number): Promise<Written> {
    const [sessionId, pointId] = [randomUUID(), randomUUID()];
    const known = retainUntil === undefined ? {} : { retainUntil };
    await repository.beginSession({ sessionId, pointId, purpose: 'backup', pins: [], ...known });
    const disk = { sessionId, diskKey: 'xvda', sizeBytes: data.length, source: new MemoryDisk(data) };
    return { sessionId, pointId, disks: [await repository.writeDisk({ ...disk, sampleBytes: 0 })] };
  }

  async function commit(repository: Repository, written: Written, retainUntil?: number): Promise<PointSummary> {
    const about = { vmId: 'vm', takenAt: 1, config: new Uint8Array(0), info: {} };
    const date = retainUntil === undefined ? {} : { retainUntil };
    const point = await repository.commitPoint({ ...written, ...about, ...date });
    await repository.endSession(written.sessionId);
    return point;
  }

  const namesOf = async (kinds: RegExp): Promise<string[]> =>
    (await namesIn(store, '')).filter((name) => kinds.test(name));

  async function unlockedBefore(names: readonly string[], date: number): Promise<string[]> {
    const dates = await Promise.all(names.map(async (name) => store.retention?.lockedUntil(name)));
    return names.filter((_, i) => (dates[i] ?? 0) < date);
  }

  /** At the numbers that come next, and at some far above: bytes of no meaning, and a sealed object of another name. */
  async function forge(pointId: string): Promise<void> {
    const sealed = Buffer.from(await store.get(`points/${pointId}`));
    for (const [below, last] of [
      ['repo.', 1],
      ['epoch/', 1],
      ['condemned/', 1],
      [`custody/${pointId}/`, 2],
    ] as const) {
      for (const number of [last + 1, last + 2, FAR]) {
        const Body = number === last + 2 ? sealed : randomBytes(300);
        await attacker.send(new PutObjectCommand({ Bucket: bucket, Key: `vault/${below}${number}`, Body }));
      }
    }
  }

  test('restores byte for byte after somebody with its credentials did their worst', async () => {
    await createRepository({ ...options, parameters: SMALL_PARAMETERS, immutable: true });
    await beginKeyGeneration(options);
    const data = new Uint8Array(randomBytes(300 * KIB));
    const retainUntil = systemClock.now() + DAY;
    const extended = retainUntil + 100 * DAY;
    let pointId = '';
    {
      await using repository = await openRepository(options);
      const gone = await commit(repository, await write(repository, new Uint8Array(randomBytes(100 * KIB))));
      await repository.deletePoint(gone.pointId);
      await repository.collect({ graceMs: 0 });
      expect(await namesOf(/^condemned\/\d+$/)).toEqual(['condemned/1']);
      await repository.raiseEpoch();

      const written = await write(repository, data, retainUntil);
      const packs = await namesOf(/^(data|meta)/);
      expect(packs.length).toBeGreaterThan(3);
      expect(await unlockedBefore(packs, retainUntil)).toEqual([]);
      const point = await commit(repository, written, retainUntil);
      ({ pointId } = point);
      expect(point.lockedUntil).toBeGreaterThanOrEqual(retainUntil);
      await repository.placeHold({ pointId, holdId: randomUUID(), reason: 'a case' });
      await repository.extendRetention(pointId, extended);
    }
    const needed = await namesOf(/^(data|meta|repo|epoch)/);
    needed.push(`points/${pointId}`, `custody/${pointId}/1`, `custody/${pointId}/2`);
    expect(needed).toEqual(expect.arrayContaining(['repo.0', 'repo.1', 'epoch/1']));
    expect(await unlockedBefore(needed, extended)).toEqual([]);

    const left = await destroyAll();
    expect(left).toEqual(expect.arrayContaining(needed));
    expect(left.filter((name) => /^(index|condemned)/.test(name))).toEqual([]);

    const fresh = open('vault', 'compliance');
    {
      await using repository = await openRepository({ ...options, store: fresh });
      expect(await repository.readCustody(pointId)).toMatchObject({
        retainUntil: extended,
        holds: [{ reason: 'a case' }],
      });
      await expect(repository.deletePoint(pointId)).rejects.toMatchObject({ code: 'POINT_RETAINED' });
      const meddled = await collected(fresh.retention?.meddled('points/') ?? []);
      expect(meddled.map(({ name }) => name)).toContain(`points/${pointId}`);
    }
    await forge(pointId);
    await using repository = await openRepository({ ...options, store: fresh });
    const sessionId = randomUUID();
    await repository.beginSession({ sessionId, pointId: randomUUID(), purpose: 'restore', pins: [pointId] });
    expect(sameBytes(await restore(repository, pointId, 'xvda'), data)).toBe(true);
    await repository.endSession(sessionId);
    const listed = await collected(repository.listPoints({ onDamaged: () => {} }));
    expect(listed.map((point) => point.pointId)).toEqual([pointId]);
    // What follows the entries that stand can't be read: nothing is sure, so nothing is deleted.
    await expect(repository.deletePoint(pointId)).rejects.toMatchObject({ code: 'VAULT_CORRUPT' });
    fresh[Symbol.dispose]();
  });

  test('is copied to with a date, and what is copied is locked when it is put', async () => {
    const source = await createTestVault();
    const target = open('copies', 'compliance');
    const retainUntil = systemClock.now() + DAY;
    const opened = { ...options, store: target, repositoryId: randomUUID() };
    await createRepository({ ...opened, parameters: SMALL_PARAMETERS, immutable: true });
    const putWithout: string[] = [];
    const put = target.putIfAbsent.bind(target);
    target.putIfAbsent = async (...[name, parts, how]: Parameters<typeof put>) => {
      if (/^(data|meta)/.test(name) && (how?.retainUntil ?? 0) < retainUntil) {
        putWithout.push(name);
      }
      return put(name, parts, how);
    };
    await using from = await source.open(undefined, 1);
    await using to = await openRepository(opened);
    const data = new Uint8Array(randomBytes(300 * KIB));
    const first = await backup(from, { disks: { xvda: new MemoryDisk(data) } });
    const changed = data.slice();
    changed.set(randomBytes(20 * KIB), 40 * KIB);
    const base = { pointId: first.summary.pointId, changed: [{ offset: 40 * KIB, length: 20 * KIB }] };
    const second = await backup(from, { disks: { xvda: new MemoryDisk(changed) }, base });

    const copy = async (pointId: string, until: number, copied?: string): Promise<PointSummary> => {
      const ids = { pointId, copyId: randomUUID(), sessionId: randomUUID() };
      const on = copied === undefined ? {} : { base: { pointId: base.pointId, copyId: copied } };
      return (await from.copyPoint({ ...ids, to, retainUntil: until, ...on })).summary;
    };
    const unlocked = async (kinds: RegExp, date: number): Promise<string[]> => {
      const names = (await namesIn(target, '')).filter((name) => kinds.test(name));
      expect(names.length).toBeGreaterThan(0);
      const dates = await Promise.all(names.map(async (name) => target.retention?.lockedUntil(name)));
      return names.filter((_, i) => (dates[i] ?? 0) < date);
    };
    const copied = await copy(base.pointId, retainUntil);
    expect(putWithout).toEqual([]);
    expect(copied.lockedUntil).toBeGreaterThanOrEqual(retainUntil);
    expect(await unlocked(/^(data|meta|points|repo)/, retainUntil)).toEqual([]);
    // What the copy of the later point inherits is kept as long as it, and it can't be deleted before.
    const later = retainUntil + 100 * DAY;
    const { pointId } = await copy(second.summary.pointId, later, copied.pointId);
    expect(sameBytes(await restore(to, pointId, 'xvda'), changed)).toBe(true);
    expect(await unlocked(/^(meta|repo)/, later)).toEqual([]);
    expect(await unlocked(/^points/, later)).toEqual([`points/${copied.pointId}`]);
    await expect(to.deletePoint(pointId)).rejects.toMatchObject({ code: 'POINT_RETAINED' });
    await source[Symbol.asyncDispose]();
    target[Symbol.dispose]();
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
