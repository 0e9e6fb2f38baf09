import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { AppError } from '../../kernel/errors.ts';
import { KIB } from '../../kernel/bytes.ts';
import type { Store } from '../ports/store.ts';
import { alterStore } from '../testing/alter-store.ts';
import { backup, createTestVault, MemoryDisk, restore, sameBytes } from '../testing/test-vault.ts';

/** Of one backup's segment there is less, of four that are merged more. */
const MERGED_BYTES = 600;

/** As a bucket does that locks whatever is put. */
function keepsIndex(store: Store, refused: string[]): Store {
  return alterStore(store, {
    delete: async (name) => {
      if (name.startsWith('index/')) {
        refused.push(name);
        throw new AppError('VAULT_RETAINED', `${name} is locked.`);
      }
      await store.delete(name);
    },
  });
}

/** Has room for what a backup adds to the index, and none for what a merge makes of all of it. */
function hasNoRoomToMerge(store: Store, refused: string[]): Store {
  return alterStore(store, {
    putIfAbsent: async (name, parts, options) => {
      const bytes = parts.reduce((sum, { length }) => sum + length, 0);
      if (name.startsWith('index/') && bytes > MERGED_BYTES) {
        refused.push(name);
        throw new AppError('VAULT_FULL', `There is no room for ${name}.`);
      }
      return store.putIfAbsent(name, parts, options);
    },
  });
}

test.each([
  ['keeps from being merged away', keepsIndex],
  ['has no room to merge', hasNoRoomToMerge],
])('no backup fails for segments that the store %s', async (_, alter) => {
  await using vault = await createTestVault();
  const refused: string[] = [];
  await using repository = await vault.open((store) => alter(store, refused), 1);
  for (let run = 0; run < 6; run += 1) {
    const data = new Uint8Array(randomBytes(60 * KIB));
    const { summary } = await backup(repository, { disks: { xvda: new MemoryDisk(data) } });
    expect(sameBytes(await restore(repository, summary.pointId, 'xvda'), data)).toBe(true);
  }
  expect(refused.length).toBeGreaterThan(0);
});
