import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { listVault, storageIn } from '../../demo/steps/vault-on-disk.ts';

test('a demo that is kept says where its vault and the keys lie', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-demo-vault-'));
  try {
    await mkdir(join(storageIn(folder), 'b7c9'), { recursive: true });
    const places = `--vault ${folder}/storage/b7c9 --keys ${folder}/data/keys`;
    expect(await listVault(folder)).toBe(`npx holdfast-vault list ${places}`);
  } finally {
    await rm(folder, { recursive: true });
  }
});
