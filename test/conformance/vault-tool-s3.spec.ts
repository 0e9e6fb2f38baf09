import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { S3Store } from '../../src/engine/stores/s3-store.ts';
import {
  makeSmallVault,
  runTool,
  type Outcome,
  type SmallVault,
} from '../../src/main/vault-tool/testing/small-vault.ts';
import { startS3Server, type S3Server } from '../support/s3-server.ts';

const found = inject('s3Server');

describe.skipIf('reason' in found)('the vault tool on a vault in S3', () => {
  let server: S3Server;
  let world: SmallVault;
  let place: string;
  let keys: readonly string[];

  beforeAll(async () => {
    server = await startS3Server('program' in found ? found.program : '');
    const bucket = await server.makeBucket();
    const { endpoint, credentials } = server;
    using store = new S3Store({ bucket, prefix: 'vaults/acme', region: 'us-east-1', endpoint, credentials });
    world = await makeSmallVault(store);
    place = `s3://${bucket}/vaults/acme`;
    keys = ['--keys', world.keys];
  });

  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await server.stop();
  });

  /** With no home but an empty one, so that nobody's own credentials are found. */
  async function tool(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Outcome> {
    return await runTool(args, { PATH: process.env['PATH'], HOME: world.folder, ...env });
  }

  test('it restores with credentials of the environment', async () => {
    const { accessKeyId, secretAccessKey } = server.credentials;
    const env = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
    const to = join(world.folder, 'root.raw');
    const args = ['restore', '--vault', place, ...keys, '--endpoint', server.endpoint];
    const restored = await tool([...args, '--point', world.first, '--to', to], env);
    expect(restored).toMatchObject({ code: 0, out: expect.stringContaining('Restored disk root') });
    expect(Buffer.compare(await readFile(to), world.root)).toBe(0);
    const verified = await tool(['verify', '--level', '2', '--vault', place, ...keys], {
      ...env,
      AWS_ENDPOINT_URL: server.endpoint,
    });
    expect(verified).toMatchObject({ code: 0, out: expect.stringContaining('0 damaged objects') });
  });

  test('it lists with the credentials of a profile, and says what it lacks', async () => {
    const { accessKeyId, secretAccessKey } = server.credentials;
    const file = join(world.folder, 'credentials');
    const profile = `[other]\nregion = nowhere\n\n[backup]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key=${secretAccessKey}\n`;
    await writeFile(file, profile);
    const args = ['list', '--vault', place, ...keys, '--endpoint', server.endpoint];
    const env = { AWS_SHARED_CREDENTIALS_FILE: file };
    expect(await tool(args, { ...env, AWS_PROFILE: 'backup' })).toMatchObject({
      code: 0,
      out: expect.stringContaining('mail server'),
    });
    expect(await tool(args, { ...env, AWS_PROFILE: 'other' })).toMatchObject({
      code: 1,
      err: expect.stringContaining('AWS_ACCESS_KEY_ID'),
    });
    const wrong = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: 'wrong' };
    const refused = await tool(args, wrong);
    expect(refused.code).toBe(1);
    expect(refused.err).not.toContain('wrong');
    const above = await tool(['list', '--vault', place.replace('/acme', ''), ...keys, '--endpoint', server.endpoint], {
      ...env,
      AWS_PROFILE: 'backup',
    });
    expect(above).toMatchObject({ code: 1, err: expect.stringContaining('s3://BUCKET/PREFIX') });
  });
});
