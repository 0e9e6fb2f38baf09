import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { systemClock, type Clock } from '../../src/kernel/clock.ts';
import { toAppError } from '../../src/kernel/errors.ts';
import type { S3Patience } from '../../src/engine/stores/s3-attempts.ts';
import { S3Store, type S3StoreOptions } from '../../src/engine/stores/s3-store.ts';
import { startS3Proxy, type S3Proxy } from '../support/s3-proxy.ts';
import { startS3Server, type S3Server } from '../support/s3-server.ts';
import { listed, namesIn, testStore } from './store-suite.ts';

const found = inject('s3Server');
/** Quick, so that tests of what passes don't wait for it. */
const IMPATIENT: Partial<S3Patience> = { attempts: 4, firstPauseMs: 5, longestPauseMs: 20, idleMs: 5_000 };

describe.skipIf('reason' in found)('an S3 bucket', () => {
  let server: S3Server;
  let opened: S3Store[] = [];

  const open = (options: Partial<S3StoreOptions> & { readonly bucket: string }): S3Store => {
    const { endpoint, credentials } = server;
    const store = new S3Store({
      prefix: 'vaults/one',
      region: 'us-east-1',
      endpoint,
      credentials,
      patience: IMPATIENT,
      ...options,
    });
    opened.push(store);
    return store;
  };

  beforeAll(async () => {
    server = await startS3Server('program' in found ? found.program : '');
  });

  afterAll(async () => {
    opened.forEach((store) => store[Symbol.dispose]());
    opened = [];
    await server.stop();
  });

  describe('as a store', () => {
    testStore(async () => {
      const bucket = await server.makeBucket();
      return { store: open({ bucket }), other: open({ bucket }), close: async () => undefined };
    });
  });

  describe('shared with others', () => {
    test('prefixes keep vaults of one bucket apart, and none is fine', async () => {
      const bucket = await server.makeBucket();
      const [one, two, whole] = [
        open({ bucket }),
        open({ bucket, prefix: 'vaults/one-more' }),
        open({ bucket, prefix: '' }),
      ];
      await one.putIfAbsent('a/name', [Buffer.from('of one')]);
      await two.putIfAbsent('a/name', [Buffer.from('of two')]);
      expect(Buffer.from(await one.get('a/name')).toString()).toBe('of one');
      expect(await namesIn(one, '')).toEqual(['a/name']);
      expect(await namesIn(whole, '')).toEqual(['vaults/one-more/a/name', 'vaults/one/a/name']);
    });
  });

  describe('behind a network that fails', () => {
    let bucket: string;
    let proxy: S3Proxy;
    let store: S3Store;
    let direct: S3Store;

    beforeEach(async () => {
      bucket = await server.makeBucket();
      proxy = await startS3Proxy(server.endpoint);
      store = open({ bucket, endpoint: proxy.endpoint });
      direct = open({ bucket });
      // So that it knows already that this bucket keeps no versions.
      await namesIn(store, 'none/');
      proxy.forget();
    });

    afterEach(() => proxy.close());

    const slowDown = { kind: 'answer', status: 503, code: 'SlowDown' } as const;

    test('throttling is waited out, for every kind of request', async () => {
      const tooMany = { kind: 'answer', status: 429, code: 'TooManyRequests' } as const;
      proxy.fail('PUT', slowDown, tooMany);
      proxy.fail('GET', slowDown, tooMany);
      proxy.fail('HEAD', slowDown, tooMany);
      proxy.fail('DELETE', slowDown, tooMany);
      expect(await store.putIfAbsent('x', [Buffer.from('abc')])).toBe('created');
      expect(Buffer.from(await store.get('x')).toString()).toBe('abc');
      expect(await store.head('x')).toEqual({ name: 'x', sizeBytes: 3 });
      proxy.fail('GET', slowDown);
      expect(await listed(store, '')).toEqual([{ name: 'x', sizeBytes: 3 }]);
      await store.delete('x');
      expect(await direct.head('x')).toBe(null);
    });

    test('throttling without end is a vault out of reach, after as many tries as were allowed', async () => {
      proxy.fail('PUT', ...Array.from({ length: 9 }, () => slowDown));
      await expect(store.putIfAbsent('x', [Buffer.from('abc')])).rejects.toMatchObject({
        code: 'VAULT_UNREACHABLE',
        message: `Could not write x in the vault at ${store.description}: SlowDown, 4 times.`,
        data: { reason: 'SlowDown', status: 503, attempts: 4 },
      });
      expect(proxy.requests).toHaveLength(4);
      expect(await direct.head('x')).toBe(null);
    });

    test('a server that says when to come back is not asked before', async () => {
      const pauses: number[] = [];
      const clock = { now: () => 0, monotonic: () => 0, sleep: async (ms: number) => void pauses.push(ms) };
      const patient = open({ bucket, endpoint: proxy.endpoint, clock });
      proxy.fail('HEAD', { ...slowDown, headers: { 'retry-after': '7' } }, slowDown);
      await patient.head('x');
      expect(pauses[0]).toBeGreaterThanOrEqual(7_000);
      expect(pauses[0]).toBeLessThanOrEqual(7_005);
      expect(pauses[1]).toBeLessThanOrEqual(10);
    });

    test('a put whose answer was lost knows that it was first', async () => {
      proxy.fail('PUT', { kind: 'lose-answer' }, { kind: 'lose-answer' });
      expect(await store.putIfAbsent('x', [Buffer.from('mine')])).toBe('created');
      expect(proxy.requests.filter((line) => line.startsWith('PUT'))).toHaveLength(3);
      expect(Buffer.from(await direct.get('x')).toString()).toBe('mine');
    });

    test('a put whose answers were all lost says so, and the one that repeats it is told of an object', async () => {
      proxy.fail('PUT', ...Array.from({ length: 4 }, () => ({ kind: 'lose-answer' }) as const));
      await expect(store.putIfAbsent('x', [Buffer.from('mine')])).rejects.toMatchObject({ code: 'VAULT_UNREACHABLE' });
      expect(await store.putIfAbsent('x', [Buffer.from('mine')])).toBe('exists');
    });

    test('a put that lost against another is told so, whatever became of its answers, even with the same bytes', async () => {
      await direct.putIfAbsent('x', [Buffer.from('same')]);
      proxy.fail('PUT', { kind: 'lose-answer' }, slowDown, { kind: 'lose-answer' });
      expect(await store.putIfAbsent('x', [Buffer.from('same')])).toBe('exists');
    });

    test('a put that was refused for an object that is gone since then is tried again', async () => {
      await direct.putIfAbsent('x', [Buffer.from('old')]);
      proxy.afterNext('PUT', () => direct.delete('x'));
      expect(await store.putIfAbsent('x', [Buffer.from('new')])).toBe('created');
      expect(Buffer.from(await direct.get('x')).toString()).toBe('new');
    });

    test('of many who race while answers get lost, exactly one created it', async () => {
      for (let round = 0; round < 15; round += 1) {
        const bodies = Array.from({ length: 6 }, () => randomBytes(20_000));
        proxy.fail('PUT', { kind: 'lose-answer' }, { kind: 'lose-answer' }, slowDown, {
          kind: 'cut-request',
          afterBytes: 9_000,
        });
        const outcomes = await Promise.all(
          bodies.map((body, i) => (i % 3 === 0 ? direct : store).putIfAbsent(`race/${round}`, [body])),
        );
        const winners = bodies.filter((_, i) => outcomes[i] === 'created');
        expect(winners).toHaveLength(1);
        expect(Buffer.from(await direct.get(`race/${round}`))).toEqual(winners[0]);
      }
    });

    test('a put that broke off in the middle leaves nothing half-written, and is sent again whole', async () => {
      const body = randomBytes(6_000_000);
      const cut = { kind: 'cut-request', afterBytes: 2_000_000 } as const;
      proxy.fail('PUT', cut, cut);
      expect(await store.putIfAbsent('large', [body])).toBe('created');
      expect(proxy.requests).toHaveLength(3);
      expect(Buffer.compare(await direct.get('large'), body)).toBe(0);

      proxy.fail('PUT', cut, cut, cut, cut);
      await expect(store.putIfAbsent('never', [body])).rejects.toMatchObject({ code: 'VAULT_UNREACHABLE' });
      expect(await direct.head('never')).toBe(null);
      expect(await namesIn(direct, '')).toEqual(['large']);
    });

    test('reads that break off in the middle are read again whole', async () => {
      const body = randomBytes(3_000_000);
      await direct.putIfAbsent('x', [body]);
      const cut = { kind: 'cut-answer', afterBytes: 500_000 } as const;
      proxy.fail('GET', cut, { kind: 'lose-answer' }, cut);
      expect(Buffer.compare(await store.get('x'), body)).toBe(0);
      proxy.fail('GET', cut, slowDown, cut);
      const into = new Uint8Array(new SharedArrayBuffer(2_000_000));
      await store.getRange('x', 700_000, into);
      expect(Buffer.compare(into, body.subarray(700_000, 2_700_000))).toBe(0);
    });

    test('an object that appears while its absence is looked into is there', async () => {
      for (const body of [Buffer.from('abc'), Buffer.alloc(0)]) {
        await direct.delete('x');
        proxy.afterNext('HEAD', async () => void (await direct.putIfAbsent('x', [body])));
        expect(await store.head('x')).toEqual({ name: 'x', sizeBytes: body.length });
      }
    });

    test('a delete whose answer was lost is done', async () => {
      await direct.putIfAbsent('x', [Buffer.from('x')]);
      proxy.fail('DELETE', { kind: 'lose-answer' });
      await store.delete('x');
      expect(await direct.head('x')).toBe(null);
    });

    const page = (keys: readonly string[], next: string): { kind: 'answer'; status: 200; code: ''; body: string } => {
      const contents = keys.map((key) => `<Contents><Key>vaults/one/${key}</Key><Size>1</Size></Contents>`);
      const body = `<?xml version="1.0"?><ListBucketResult>${contents.join('')}${next}</ListBucketResult>`;
      return { kind: 'answer', status: 200, code: '', body };
    };
    const more = (token: string): string =>
      `<IsTruncated>true</IsTruncated><NextContinuationToken>${token}</NextContinuationToken>`;

    test('an answer that begins with the end of the one before names nothing twice', async () => {
      const [first, second] = [page(['a', 'b'], more('1')), page([], more('2'))];
      proxy.fail('GET', first, second, page(['b', 'c'], '<IsTruncated>false</IsTruncated>'));
      expect(await namesIn(store, '')).toEqual(['a', 'b', 'c']);
    });

    test('a list that goes on, and does not say where, is not taken for a whole one', async () => {
      proxy.fail('GET', page(['a'], '<IsTruncated>true</IsTruncated>'));
      await expect(namesIn(store, '')).rejects.toMatchObject({ code: 'VAULT_UNREACHABLE' });
      proxy.fail('GET', page(['a'], more('1')), page(['b'], more('1')));
      await expect(namesIn(store, '')).rejects.toMatchObject({ code: 'VAULT_UNREACHABLE' });
    });

    test('a list whose answers break off is asked for again, and whole', async () => {
      for (const name of ['a', 'b', 'c']) {
        await direct.putIfAbsent(name, []);
      }
      proxy.fail('GET', { kind: 'cut-answer', afterBytes: 300 }, slowDown, { kind: 'lose-answer' });
      expect(await namesIn(store, '')).toEqual(['a', 'b', 'c']);
    });

    test('a server that does not answer is given up, and asked again', async () => {
      const impatient = open({ bucket, endpoint: proxy.endpoint, patience: { ...IMPATIENT, idleMs: 300 } });
      proxy.fail('PUT', { kind: 'stall' });
      expect(await impatient.putIfAbsent('x', [Buffer.from('abc')])).toBe('created');
      proxy.fail('HEAD', ...Array.from({ length: 4 }, () => ({ kind: 'stall' }) as const));
      await expect(impatient.head('x')).rejects.toMatchObject({
        code: 'VAULT_UNREACHABLE',
        data: { reason: 'TimeoutError', attempts: 4 },
      });
    });

    test('who gives up waiting for an answer is let go at once', async () => {
      const patient = open({ bucket, endpoint: proxy.endpoint, patience: { idleMs: 600_000 } });
      proxy.fail('PUT', { kind: 'stall' });
      const controller = new AbortController();
      const putting = patient.putIfAbsent('x', [Buffer.from('abc')], { signal: controller.signal });
      await expect.poll(() => proxy.requests.length).toBe(1);
      controller.abort();
      await expect(putting).rejects.toMatchObject({ code: 'CANCELLED' });
      expect(await direct.head('x')).toBe(null);
    });

    test('who gives up in a pause between tries is let go at once', async () => {
      const controller = new AbortController();
      const clock: Clock = {
        ...systemClock,
        sleep: (ms, signal) => {
          setImmediate(() => controller.abort());
          return systemClock.sleep(ms, signal);
        },
      };
      const patient = open({ bucket, endpoint: proxy.endpoint, clock });
      proxy.fail('PUT', { ...slowDown, headers: { 'retry-after': '60' } });
      const putting = patient.putIfAbsent('x', [Buffer.from('abc')], { signal: controller.signal });
      await expect(putting).rejects.toMatchObject({ code: 'CANCELLED' });
      expect(proxy.requests).toHaveLength(1);
    });

    test('a server that is not there is a vault out of reach', async () => {
      await proxy.close();
      await expect(store.head('x')).rejects.toMatchObject({
        code: 'VAULT_UNREACHABLE',
        data: { reason: 'ECONNREFUSED', attempts: 4 },
      });
    });

    test.each([
      [507, 'XMinioStorageFull', 'VAULT_FULL'],
      [403, 'QuotaExceeded', 'VAULT_FULL'],
      [403, 'AccessDenied', 'VAULT_READ_ONLY'],
      [403, 'ExpiredToken', 'VAULT_ACCESS_DENIED'],
      [403, 'RequestTimeTooSkewed', 'VAULT_ACCESS_DENIED'],
      [400, 'InvalidRequest', 'VAULT_UNREACHABLE'],
    ])('a put that is answered %d %s is %s, and not tried again', async (status, reason, code) => {
      proxy.fail('PUT', { kind: 'answer', status, code: reason });
      const error = toAppError(await store.putIfAbsent('x', [Buffer.from('x')]).catch((thrown: unknown) => thrown));
      expect(error).toMatchObject({ code, data: { reason, status, attempts: 1 } });
      expect(proxy.requests).toHaveLength(1);
    });
  });

  describe('that refuses', () => {
    test.each(['accessKeyId', 'secretAccessKey'] as const)(
      'a wrong %s is named as such, and no part of the credentials with it',
      async (which) => {
        const credentials = { ...server.credentials, [which]: 'wrong-wrong-wrong' };
        const store = open({ bucket: await server.makeBucket(), credentials });
        for (const work of [
          () => store.putIfAbsent('x', [Buffer.from('x')]),
          () => store.get('x'),
          () => listed(store, ''),
          () => store.delete('x'),
        ]) {
          const error = await work().then(
            () => null,
            (thrown: unknown) => thrown,
          );
          expect(error).toMatchObject({ code: 'VAULT_ACCESS_DENIED', data: { attempts: 1 } });
          const all = inspect(error, { depth: 20, showHidden: true });
          expect(all).not.toContain(credentials.secretAccessKey);
          expect(all).not.toContain(credentials.accessKeyId);
        }
        await expect(store.head('x')).rejects.toMatchObject({ code: 'VAULT_ACCESS_DENIED' });
      },
    );

    test('a bucket that may only be read is a read-only vault, and can be read', async () => {
      const bucket = await server.makeBucket();
      await open({ bucket }).putIfAbsent('x', [Buffer.from('abc')]);
      const store = open({ bucket, endpoint: server.readOnlyEndpoint });
      expect(Buffer.from(await store.get('x')).toString()).toBe('abc');
      await expect(store.putIfAbsent('y', [Buffer.from('y')])).rejects.toMatchObject({ code: 'VAULT_READ_ONLY' });
      await expect(store.delete('x')).rejects.toMatchObject({ code: 'VAULT_READ_ONLY' });
    });

    test('a bucket that is not there is out of reach, and is not an empty vault', async () => {
      const store = open({ bucket: 'no-such-bucket' });
      const unreachable = { code: 'VAULT_UNREACHABLE', data: { reason: 'NoSuchBucket' }, hint: /Create the bucket/ };
      await expect(store.putIfAbsent('x', [Buffer.from('x')])).rejects.toMatchObject(unreachable);
      await expect(store.get('x')).rejects.toMatchObject(unreachable);
      await expect(store.head('x')).rejects.toMatchObject(unreachable);
      await expect(listed(store, '')).rejects.toMatchObject(unreachable);
      await expect(store.delete('x')).rejects.toMatchObject(unreachable);
    });
  });
});
