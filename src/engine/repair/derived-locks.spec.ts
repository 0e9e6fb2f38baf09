import { expect, test } from 'vitest';
import { endOfWindow } from '../retention/retention-window.ts';
import { backUp, createClockedVault, DAY, WINDOW } from '../retention/testing/locked-vault.ts';

test('a manifest that was made anew is locked until the last date that its point was promised', async () => {
  await using vault = await createClockedVault();
  const { store, repository } = vault;
  const { pointId } = await backUp(repository, { retainUntil: WINDOW });
  const later = WINDOW + 400 * DAY;
  await repository.extendRetention(pointId, later);
  const [name = ''] = vault.names('meta/');
  const damaged = store.objects.get(name)?.slice() ?? new Uint8Array(0);
  damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1;
  store.objects.set(name, damaged);
  store.locks.delete(name);
  expect((await repository.repair({ index: 'damaged' })).derivedManifests).toEqual([name]);
  expect(store.locks.get(name)).toBe(endOfWindow(later));
});
