import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { PointSummary } from '../../src/engine/index.ts';
import { S3Store } from '../../src/engine/stores/s3-store.ts';
import { copyIn, makeSmallVault, runTool, type SmallVault } from '../../src/main/vault-tool/testing/small-vault.ts';
import { collected } from '../support/collected.ts';
import { startS3Server, type S3Server } from '../support/s3-server.ts';

const found = inject('s3Server');
const DAY_MS = 86_400_000;

describe.skipIf('reason' in found)('the vault tool and a bucket that locks', () => {
  let server: S3Server;
  let here: SmallVault;
  let there: SmallVault;
  let store: S3Store;
  let copy: readonly string[];
  let env: Record<string, string | undefined>;

  beforeAll(async () => {
    server = await startS3Server('program' in found ? found.program : '', { versions: true });
    const { endpoint, credentials } = server;
    const bucket = await server.makeLockedBucket();
    const place = { bucket, prefix: 'vault', region: 'us-east-1', endpoint, credentials };
    store = new S3Store({ ...place, retention: 'governance' });
    const tenantId = randomUUID();
    [here, there] = await Promise.all([makeSmallVault(undefined, tenantId), makeSmallVault(store, tenantId)]);
    const to = ['--to', `s3://${bucket}/vault`, '--to-keys', there.keys, '--to-endpoint', endpoint];
    copy = ['copy', ...here.places, ...to];
    const { accessKeyId, secretAccessKey } = credentials;
    env = {
      PATH: process.env['PATH'],
      HOME: here.folder,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
    };
  });

  afterAll(async () => {
    store[Symbol.dispose]();
    await Promise.all([here, there].map((vault) => vault[Symbol.asyncDispose]()));
    await server.stop();
  });

  async function copyThere(ofPointId: string): Promise<PointSummary> {
    await using repository = await there.open();
    const made = await copyIn(repository, ofPointId);
    expect(made).toBeDefined();
    return made as PointSummary;
  }

  test('copies are locked until the day that is said, with what they need', async () => {
    const day = new Date(Date.now() + 40 * DAY_MS).toISOString().slice(0, 10);
    const how = ['--point', here.first, '--retain-until', day, '--to-retention', 'governance'];
    expect(await runTool([...copy, ...how], env)).toMatchObject({ code: 0 });
    const made = await copyThere(here.first);
    expect(made.retainUntil).toBe(Date.parse(day));
    const names = await collected(store.list('data/'));
    const dates = await Promise.all(
      [`points/${made.pointId}`, ...names.map(({ name }) => name)].map(async (name) =>
        store.retention?.lockedUntil(name),
      ),
    );
    expect(dates[0]).toBeGreaterThanOrEqual(Date.parse(day));
    expect(Math.max(...dates.slice(1).map(Number))).toBeGreaterThanOrEqual(Date.parse(day));
    await using repository = await there.open();
    await expect(repository.deletePoint(made.pointId)).rejects.toMatchObject({ code: 'POINT_RETAINED' });
  });

  test('without a mode the date holds for Holdfast, and the bucket locks nothing', async () => {
    const day = new Date(Date.now() + 2 * DAY_MS).toISOString().slice(0, 10);
    expect(await runTool([...copy, '--point', here.second, '--retain-until', day], env)).toMatchObject({ code: 0 });
    const made = await copyThere(here.second);
    expect(made).toMatchObject({ retainUntil: Date.parse(day) });
    expect(await store.retention?.lockedUntil(`points/${made.pointId}`)).toBeNull();
    await using repository = await there.open();
    await expect(repository.deletePoint(made.pointId)).rejects.toMatchObject({ code: 'POINT_RETAINED' });
  });
});
