import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeleteObjectCommand, ListObjectVersionsCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { systemClock } from '../../src/kernel/clock.ts';
import { S3Store, type S3StoreOptions } from '../../src/engine/stores/s3-store.ts';
import { startS3Proxy, type S3Proxy } from '../support/s3-proxy.ts';
import { startS3Server, type S3Server } from '../support/s3-server.ts';
import { namesIn, testStore } from './store-suite.ts';

const found = inject('s3Server');
const HOUR = 3_600_000;
/** The server goes through all of its files for each answer. */
const SEVERAL_ANSWERS = { many: 1050 };

describe.skipIf('reason' in found)('an S3 bucket that keeps versions', () => {
  let server: S3Server;
  let stranger: S3Client;
  let bucket: string;
  const opened: S3Store[] = [];

  const open = (options: Partial<S3StoreOptions> = {}): S3Store => {
    const { endpoint, credentials } = server;
    const patience = { attempts: 4, firstPauseMs: 5, longestPauseMs: 20, idleMs: 5_000 };
    const place = { bucket, prefix: 'vaults/one', region: 'us-east-1', endpoint };
    const store = new S3Store({ ...place, credentials, patience, retention: 'compliance', ...options });
    opened.push(store);
    return store;
  };

  beforeAll(async () => {
    server = await startS3Server('program' in found ? found.program : '', { versions: true });
    const { endpoint, credentials } = server;
    stranger = new S3Client({ region: 'us-east-1', endpoint, forcePathStyle: true, credentials });
  });

  afterAll(async () => {
    opened.forEach((store) => store[Symbol.dispose]());
    stranger.destroy();
    await server.stop();
  });

  beforeEach(async () => {
    bucket = await server.makeLockedBucket();
  });

  const versionsLeft = async (name: string): Promise<number> => {
    const answer = await stranger.send(new ListObjectVersionsCommand({ Bucket: bucket, Prefix: `vaults/one/${name}` }));
    return (answer.Versions ?? []).length + (answer.DeleteMarkers ?? []).length;
  };
  const text = async (store: S3Store, name: string): Promise<string> => Buffer.from(await store.get(name)).toString();

  describe('as a store', () => {
    testStore(async () => {
      bucket = await server.makeLockedBucket();
      return { store: open(), other: open(), close: async () => undefined };
    }, SEVERAL_ANSWERS);
  });

  test('a deletion leaves no version and no marker, so that the space is free', async () => {
    const store = open();
    await store.putIfAbsent('a/name', [Buffer.from('x')]);
    await store.delete('a/name');
    expect(await versionsLeft('')).toBe(0);
  });

  test('what is locked stays until its date, also from whom asks to bypass, and can be deleted after it', async () => {
    const store = open();
    const until = systemClock.now() + 1_500;
    await store.putIfAbsent('short', [Buffer.from('x')], { retainUntil: until });
    await store.putIfAbsent('long', [Buffer.from('y')], { retainUntil: until + HOUR });
    await expect(store.delete('short')).rejects.toMatchObject({ code: 'VAULT_RETAINED', data: { object: 'short' } });
    await systemClock.sleep(until + 1_100 - systemClock.now());
    await store.delete('short');
    await expect(store.delete('long')).rejects.toMatchObject({ code: 'VAULT_RETAINED', data: { object: 'long' } });
    expect(await namesIn(store, '')).toEqual(['long']);
  });

  test('a lock is put on what is there, extended, and never shortened', async () => {
    const store = open();
    const { retention } = store;
    const until = Math.ceil((systemClock.now() + HOUR) / 1000) * 1000;
    await store.putIfAbsent('name', [Buffer.from('x')]);
    expect(await retention?.lockedUntil('name')).toBe(null);
    await retention?.lockUntil('name', until);
    expect(await retention?.lockedUntil('name')).toBe(until);
    await retention?.lockUntil('name', until + HOUR);
    await retention?.lockUntil('name', until - HOUR / 2);
    expect(await retention?.lockedUntil('name')).toBe(until + HOUR);
    await expect(retention?.lockUntil('absent', until)).rejects.toMatchObject({ code: 'VAULT_OBJECT_MISSING' });
    await expect(retention?.lockedUntil('absent')).rejects.toMatchObject({ code: 'VAULT_OBJECT_MISSING' });
  });

  test('what is locked for good is not asked for its date again, and what is locked for less is extended', async () => {
    const proxy = await startS3Proxy(server.endpoint);
    const store = open({ endpoint: proxy.endpoint });
    const asked: string[] = [];
    proxy.onRequest((line, query) => {
      if (query.startsWith('retention')) {
        asked.push(line.split(' ', 1)[0] ?? '');
      }
      return undefined;
    });
    const until = Math.ceil((systemClock.now() + HOUR) / 1000) * 1000;
    await store.putIfAbsent('name', [Buffer.from('x')], { retainUntil: until });
    await store.retention?.lockUntil('name', until);
    expect(asked).toEqual([]);
    await store.retention?.lockUntil('name', until + HOUR);
    await store.retention?.lockUntil('name', until + HOUR);
    expect(asked).toEqual(['GET', 'PUT']);
    expect(await store.putIfAbsent('name', [Buffer.from('x')], { retainUntil: until + 2 * HOUR })).toBe('exists');
    await store.retention?.lockUntil('name', until + 2 * HOUR);
    expect(await open().retention?.lockedUntil('name')).toBe(until + 2 * HOUR);
    const other = open({ endpoint: proxy.endpoint });
    asked.length = 0;
    await other.retention?.lockUntil('name', until);
    await other.retention?.lockUntil('name', until);
    expect(asked).toEqual(['GET']);
    await proxy.close();
  });

  test('what was to be kept until a date that is past is stored all the same', async () => {
    const store = open();
    expect(await store.putIfAbsent('name', [Buffer.from('x')], { retainUntil: systemClock.now() - HOUR })).toBe(
      'created',
    );
    expect(await store.retention?.lockedUntil('name')).toBe(null);
  });

  test('a delete marker that somebody puts hides nothing, and frees no name', async () => {
    await open().putIfAbsent('points/one', [Buffer.from('first')]);
    await stranger.send(new DeleteObjectCommand({ Bucket: bucket, Key: 'vaults/one/points/one' }));
    for (const store of [open(), open({ retention: undefined })]) {
      expect(await text(store, 'points/one')).toBe('first');
      expect(await store.head('points/one')).toEqual({ name: 'points/one', sizeBytes: 5 });
      expect(await namesIn(store, 'points/')).toEqual(['points/one']);
      const into = new Uint8Array(2);
      await store.getRange('points/one', 1, into);
      expect(Buffer.from(into).toString()).toBe('ir');
      expect(await store.putIfAbsent('points/one', [Buffer.from('second')])).toBe('exists');
    }
    await open().delete('points/one');
    expect(await versionsLeft('points/one')).toBe(0);
  });

  test('another version that somebody puts over an object replaces nothing', async () => {
    await open().putIfAbsent('points/one', [Buffer.from('first')]);
    await stranger.send(new PutObjectCommand({ Bucket: bucket, Key: 'vaults/one/points/one', Body: 'forged' }));
    const store = open();
    expect(await text(store, 'points/one')).toBe('first');
    expect(await store.head('points/one')).toEqual({ name: 'points/one', sizeBytes: 5 });
    for await (const object of store.list('points/')) {
      expect(object).toEqual({ name: 'points/one', sizeBytes: 5 });
    }
    const meddled = [];
    for await (const object of store.retention?.meddled('') ?? []) {
      meddled.push(object);
    }
    expect(meddled).toEqual([{ name: 'points/one', kind: 'overwritten', at: expect.any(Number) }]);
    await store.delete('points/one');
    expect(await versionsLeft('points/one')).toBe(0);
  });

  test('markers are named', async () => {
    const store = open();
    await store.putIfAbsent('points/one', [Buffer.from('1')]);
    await store.putIfAbsent('points/two', [Buffer.from('2')]);
    await stranger.send(new DeleteObjectCommand({ Bucket: bucket, Key: 'vaults/one/points/two' }));
    const meddled = [];
    for await (const object of store.retention?.meddled('points/') ?? []) {
      meddled.push(object);
    }
    expect(meddled).toEqual([{ name: 'points/two', kind: 'hidden', at: expect.any(Number) }]);
  });

  describe('probed', () => {
    let proxy: S3Proxy;

    beforeEach(async () => {
      proxy = await startS3Proxy(server.endpoint);
    });

    afterEach(() => proxy.close());

    test('a bucket that locks for good passes, and old probes go when they can', async () => {
      const store = open();
      await store.retention?.probe();
      await store.retention?.probe();
      expect(await namesIn(store, 'probes/')).toHaveLength(2);
    });

    test('credentials that may bypass governance are no protection', async () => {
      await expect(open({ retention: 'governance' }).retention?.probe()).rejects.toMatchObject({
        code: 'VAULT_NOT_IMMUTABLE',
        message: expect.stringMatching(/shortens|bypassing governance/) as string,
      });
    });

    test('credentials that may not bypass it are', async () => {
      proxy.refuseHeader('x-amz-bypass-governance-retention');
      const store = open({ retention: 'governance', endpoint: proxy.endpoint });
      await store.retention?.probe();
      expect(store.retention?.mode).toBe('governance');
    });

    test('a bucket without versions, or without lock, is refused', async () => {
      bucket = await server.makeBucket();
      await expect(open().retention?.probe()).rejects.toMatchObject({
        code: 'VAULT_NOT_IMMUTABLE',
        message: expect.stringContaining('keeps no versions') as string,
      });
    });

    test('a server that says it locks, and deletes, is found out', async () => {
      const none = { kind: 'answer', status: 404, code: 'NoSuchObjectLockConfiguration' } as const;
      proxy.onRequest((_, query) => (query.startsWith('retention') ? none : undefined));
      await expect(open({ endpoint: proxy.endpoint }).retention?.probe()).rejects.toMatchObject({
        code: 'VAULT_NOT_IMMUTABLE',
        message: expect.stringContaining('does not keep the date') as string,
      });
      proxy.onRequest((line) => (line.startsWith('DELETE') ? { kind: 'answer', status: 204, code: '' } : undefined));
      await expect(open({ endpoint: proxy.endpoint }).retention?.probe()).rejects.toMatchObject({
        code: 'VAULT_NOT_IMMUTABLE',
        message: expect.stringContaining('deletes a version that is locked') as string,
      });
    });

    test('credentials that may not ask for versions can use the bucket, and get no immutable vault', async () => {
      const denied = { kind: 'answer', status: 403, code: 'AccessDenied' } as const;
      proxy.onRequest((_, query) => (query.startsWith('version') ? denied : undefined));
      const store = open({ endpoint: proxy.endpoint, retention: undefined });
      expect(await store.putIfAbsent('name', [Buffer.from('x')])).toBe('created');
      expect(await text(store, 'name')).toBe('x');
      expect(await namesIn(store, '')).toEqual(['name']);
      await store.delete('name');
      expect(await store.head('name')).toBe(null);
      await expect(open({ endpoint: proxy.endpoint }).retention?.probe()).rejects.toMatchObject({
        code: 'VAULT_NOT_IMMUTABLE',
        message: expect.stringContaining('keeps no versions, or does not tell') as string,
      });
    });

    test('an extension that is refused right after the put is tried again, and not for ever', async () => {
      const store = open({ endpoint: proxy.endpoint });
      const denied = { kind: 'answer', status: 403, code: 'AccessDenied' } as const;
      const until = systemClock.now() + HOUR;
      await store.putIfAbsent('name', [Buffer.from('x')]);
      proxy.fail('PUT', denied, denied);
      await store.retention?.lockUntil('name', until);
      expect(await store.retention?.lockedUntil('name')).toBeGreaterThanOrEqual(until);
      proxy.fail('PUT', denied, denied, denied);
      await expect(store.retention?.lockUntil('name', until + HOUR)).rejects.toMatchObject({
        data: { reason: 'AccessDenied', attempts: 3 },
      });
    });

    test('a server that lets a put pass over a marker has not made the object', async () => {
      const store = open();
      await store.putIfAbsent('points/one', [Buffer.from('first')]);
      proxy.fail('PUT', { kind: 'answer', status: 200, code: '', headers: { 'x-amz-version-id': 'later' } });
      const other = open({ endpoint: proxy.endpoint });
      expect(await other.putIfAbsent('points/one', [Buffer.from('second')])).toBe('exists');
      expect(await text(other, 'points/one')).toBe('first');
    });
  });
});

describe('a directory', () => {
  test('does not claim to be immutable', async () => {
    const { DirectoryStore } = await import('../../src/engine/index.ts');
    const folder = await mkdtemp(join(tmpdir(), `holdfast-${randomUUID()}`));
    const store = new DirectoryStore(folder);
    expect('retention' in store ? store.retention : undefined).toBe(undefined);
    await expect(store.putIfAbsent('x', [], { retainUntil: 1 })).rejects.toMatchObject({ code: 'VAULT_NOT_IMMUTABLE' });
    await rm(folder, { recursive: true });
  });
});
