import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../kernel/clock.ts';
import { createRepository } from '../create-repository.ts';
import { openRepository } from '../open-repository.ts';
import { MemoryLeases } from '../sessions/memory-leases.ts';
import { DirectoryStore } from '../stores/directory-store.ts';
import { MODEL_IDS, modelKeyRing } from './testing/model-vault.ts';

const HOUR_MS = 3_600_000;

test('what writers left aside that were killed goes after a day, and not what may still be written', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-leftovers-'));
  try {
    const common = { store: new DirectoryStore(folder), keyRing: modelKeyRing, clock: systemClock, ...MODEL_IDS };
    await createRepository(common);
    const aside = join(folder, '.aside');
    await mkdir(aside, { recursive: true });
    for (const [name, hours] of [
      ['a'.repeat(32), 25],
      ['b'.repeat(32), 23],
    ] as const) {
      await writeFile(join(aside, name), 'half a pack');
      const then = (systemClock.now() - hours * HOUR_MS) / 1000;
      await utimes(join(aside, name), then, then);
    }
    await using repository = await openRepository({ ...common, leases: new MemoryLeases(systemClock), workers: 1 });
    await repository.collect();
    expect(await readdir(aside)).toEqual(['b'.repeat(32)]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
