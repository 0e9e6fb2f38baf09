import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findPoint } from './find-point.ts';
import { backUp, makeEmptyVault } from './testing/small-vault.ts';

const [WHOLE, DAMAGED] = ['3f2a0000-0000-4000-8000-000000000001', '3f2a0000-0000-4000-8000-000000000002'];

test('a beginning that a damaged restore point has too chooses none', async () => {
  await using world = await makeEmptyVault();
  await using repository = await world.open();
  await backUp(repository, WHOLE, {});
  await backUp(repository, DAMAGED, {});
  const path = join(world.vault, 'points', DAMAGED);
  await rm(path);
  await writeFile(path, 'garbage');
  const hint = expect.stringMatching(new RegExp(`${WHOLE}.*${DAMAGED}`));
  await expect(findPoint(repository, '3f2a')).rejects.toMatchObject({ code: 'BAD_INPUT', hint });
  expect(await findPoint(repository, WHOLE.toUpperCase())).toMatchObject({ pointId: WHOLE });
  await expect(findPoint(repository, DAMAGED)).rejects.toMatchObject({ code: 'VAULT_CORRUPT' });
});
