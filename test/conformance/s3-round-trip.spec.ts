import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { KIB } from '../../src/kernel/bytes.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import {
  createRepository,
  FileKeyRing,
  MemoryLeases,
  openRepository,
  type Repository,
} from '../../src/engine/index.ts';
import { S3Store } from '../../src/engine/stores/s3-store.ts';
import { backup, MemoryDisk, restore, sameBytes, SMALL_PARAMETERS } from '../../src/engine/testing/test-vault.ts';
import { startS3Proxy, type ProxyFault, type S3Proxy } from '../support/s3-proxy.ts';
import { startS3Server, type S3Server } from '../support/s3-server.ts';
import { namesIn } from './store-suite.ts';

const found = inject('s3Server');
const LOST: ProxyFault = { kind: 'lose-answer' };
const SLOW_DOWN: ProxyFault = { kind: 'answer', status: 503, code: 'SlowDown' };
const DISK_BYTES = 8 * SMALL_PARAMETERS.segmentBytes + 12_345;

describe.skipIf('reason' in found)('a vault in an S3 bucket', () => {
  let server: S3Server;
  let proxy: S3Proxy;
  let store: S3Store;
  let keys: string;
  let ids: { readonly tenantId: string; readonly repositoryId: string };

  beforeAll(async () => {
    server = await startS3Server('program' in found ? found.program : '');
  });

  afterAll(() => server.stop());

  beforeEach(async () => {
    keys = await mkdtemp(join(tmpdir(), 'holdfast-keys-'));
    proxy = await startS3Proxy(server.endpoint);
    const { credentials } = server;
    const patience = { attempts: 5, firstPauseMs: 5, longestPauseMs: 20, idleMs: 10_000 };
    store = new S3Store({
      bucket: await server.makeBucket(),
      prefix: 'vaults/one',
      region: 'us-east-1',
      endpoint: proxy.endpoint,
      credentials,
      patience,
    });
    ids = { tenantId: randomUUID(), repositoryId: randomUUID() };
    const keyRing = new FileKeyRing(keys);
    await createRepository({ ...ids, store, keyRing, parameters: SMALL_PARAMETERS });
  });

  afterEach(async () => {
    store[Symbol.dispose]();
    await proxy.close();
    await rm(keys, { recursive: true });
  });

  /** As another process would: nothing but the bucket and the keys is shared. */
  const open = (): Promise<Repository> => {
    const leases = new MemoryLeases(systemClock);
    return openRepository({ ...ids, store, keyRing: new FileKeyRing(keys), clock: systemClock, leases, workers: 1 });
  };

  test('a full and an incremental backup restore byte for byte over a network that fails', async () => {
    const before = new Uint8Array(randomBytes(DISK_BYTES));
    before.fill(0, 200 * KIB, 400 * KIB);
    const after = before.slice();
    after.set(randomBytes(30 * KIB), 500 * KIB);
    const changed = [{ offset: 500 * KIB, length: 30 * KIB }];
    const cut: ProxyFault = { kind: 'cut-request', afterBytes: 20_000 };

    let first = '';
    {
      await using repository = await open();
      proxy.fail('PUT', SLOW_DOWN, LOST, cut, LOST, SLOW_DOWN);
      first = (await backup(repository, { disks: { xvda: new MemoryDisk(before) } })).summary.pointId;
    }
    await using repository = await open();
    proxy.fail('PUT', LOST, LOST, SLOW_DOWN, cut);
    proxy.fail('GET', { kind: 'cut-answer', afterBytes: 50 }, SLOW_DOWN);
    const base = { pointId: first, changed };
    const { summary, disks } = await backup(repository, {
      disks: { xvda: new MemoryDisk(after) },
      base,
      unchangedFrom: 'vault',
    });
    expect(disks[0]?.bytesRead).toBeLessThan(200 * KIB);

    await using reader = await open();
    proxy.fail('GET', SLOW_DOWN, { kind: 'cut-answer', afterBytes: 3_000 }, LOST);
    expect(sameBytes(await restore(reader, first, 'xvda'), before)).toBe(true);
    expect(sameBytes(await restore(reader, summary.pointId, 'xvda'), after)).toBe(true);
    expect(await namesIn(store, 'sessions/')).toEqual([]);
    expect(await namesIn(store, 'points/')).toEqual([`points/${first}`, `points/${summary.pointId}`].toSorted());
  });

  test('a backup whose server went away is resumed, and no pack is sent twice', async () => {
    const data = new Uint8Array(randomBytes(DISK_BYTES));
    const request = { sessionId: randomUUID(), pointId: randomUUID() };
    {
      await using doomed = await open();
      const gone: ProxyFault = { kind: 'answer', status: 500, code: 'InternalError' };
      let done = 0;
      proxy.onRequest((line) => {
        done += line.startsWith('PUT') ? 1 : 0;
        return done > 12 ? gone : undefined;
      });
      const lost = backup(doomed, { ...request, disks: { xvda: new MemoryDisk(data) } });
      await expect(lost).rejects.toMatchObject({ code: 'VAULT_UNREACHABLE' });
    }
    proxy.onRequest(() => undefined);
    const packs = await digests(await namesIn(store, 'data/'));
    expect(packs.size).toBeGreaterThan(2);
    expect(await namesIn(store, 'points/')).toEqual([]);

    await using repository = await open();
    const disk = new MemoryDisk(data);
    const { summary } = await backup(repository, { ...request, disks: { xvda: disk } });
    expect(disk.bytesRead).toBeLessThan(data.length);
    expect(sameBytes(await restore(repository, summary.pointId, 'xvda'), data)).toBe(true);
    const later = await digests(await namesIn(store, 'data/'));
    packs.forEach((digest, name) => expect(later.get(name)).toBe(digest));
    const stored = [...later.keys()].length * SMALL_PARAMETERS.packBytes;
    expect(stored).toBeLessThan(data.length + 4 * SMALL_PARAMETERS.packBytes);
    const sent = proxy.requests.filter((line) => line.startsWith('PUT') && packs.has(line.replace(/^.*one\//, '')));
    expect(sent).toHaveLength(packs.size);
  });

  async function digests(names: readonly string[]): Promise<Map<string, string>> {
    const found = new Map<string, string>();
    for (const name of names) {
      found.set(
        name,
        createHash('sha256')
          .update(await store.get(name))
          .digest('hex'),
      );
    }
    return found;
  }
});
