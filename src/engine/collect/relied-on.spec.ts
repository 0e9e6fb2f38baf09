import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { alterStore } from '../testing/alter-store.ts';
import type { Store } from '../ports/store.ts';
import { backup, createTestVault, MemoryDisk, SMALL_PARAMETERS } from '../testing/test-vault.ts';

/** Notes what a power cut may undo, and what makes it safe. */
function note(store: Store, events: string[]): Store {
  return alterStore(store, {
    list: (prefix) => {
      events.push(`list ${prefix}`);
      return store.list(prefix);
    },
    flush: async () => {
      await store.flush();
      events.push('flush');
    },
    delete: async (name) => {
      events.push(`delete ${name}`);
      await store.delete(name);
    },
  });
}

test('what a collection found is durable before anything goes because of it: who put it may have died before', async () => {
  await using vault = await createTestVault();
  const events: string[] = [];
  await using repository = await vault.open((store) => note(store, events), 1);
  const disk = (): MemoryDisk => new MemoryDisk(new Uint8Array(randomBytes(3 * SMALL_PARAMETERS.segmentBytes)));
  const { summary } = await backup(repository, { disks: { xvda: disk() } });
  await backup(repository, { disks: { xvda: disk() } });
  await repository.deletePoint(summary.pointId);
  events.length = 0;
  expect((await repository.collect({ graceMs: 0 })).deleted.dataPacks).toBeGreaterThan(0);

  const went = [...events.keys()].filter((at) => /^delete (data|meta|points)\//.test(events[at] ?? ''));
  expect(went.length).toBeGreaterThan(0);
  for (const at of went) {
    const before = events.slice(0, at);
    for (const found of ['list data/', 'list index/', 'list points/']) {
      expect(before).toContain(found);
      expect(before.lastIndexOf('flush')).toBeGreaterThan(before.lastIndexOf(found));
    }
  }
});
