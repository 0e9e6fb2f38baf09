import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { AppError } from '../../kernel/errors.ts';
import { KIB } from '../../kernel/bytes.ts';
import type { Store } from '../ports/store.ts';
import { backup, createTestVault, MemoryDisk, restore, sameBytes } from '../testing/test-vault.ts';

/** As a bucket does that locks whatever is put. */
function keepsIndex(store: Store, refused: string[]): Store {
  return new Proxy(store, {
    get: (target, key: keyof Store) => {
      if (key === 'delete') {
        return async (name: string) => {
          if (name.startsWith('index/')) {
            refused.push(name);
            throw new AppError('VAULT_RETAINED', `${name} is locked.`);
          }
          await target.delete(name);
        };
      }
      const value = target[key];
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

test('no backup fails for segments that the store keeps from being merged away', async () => {
  await using vault = await createTestVault();
  const refused: string[] = [];
  await using repository = await vault.open((store) => keepsIndex(store, refused), 1);
  for (let run = 0; run < 6; run += 1) {
    const data = new Uint8Array(randomBytes(60 * KIB));
    const { summary } = await backup(repository, { disks: { xvda: new MemoryDisk(data) } });
    expect(sameBytes(await restore(repository, summary.pointId, 'xvda'), data)).toBe(true);
  }
  expect(refused.length).toBeGreaterThan(0);
});
