import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { KIB } from '../../kernel/bytes.ts';
import { createCollectVault, noise, type CollectVault } from '../collect/testing/collect-vault.ts';
import { journalPlaceOf } from '../format/names.ts';
import type { Store } from '../ports/store.ts';
import { DelegatingStore } from '../stores/delegating-store.ts';
import { backup, MemoryDisk } from '../testing/test-vault.ts';

// Lanes without threads: what is missed is the store's, and threads take their time to start.
vi.mock('../worker/lane.ts', () => import('../testing/inline-lane.ts'));

let at: CollectVault;

beforeEach(async () => {
  at = await createCollectVault();
});

afterEach(async () => {
  await at[Symbol.asyncDispose]();
});

/** Somebody else ends sessions: journals are listed, and gone when they are read. */
class EndingStore extends DelegatingStore {
  readonly #remove: (name: string) => void;

  constructor(inner: Store, remove: (name: string) => void) {
    super(inner);
    this.#remove = remove;
  }

  override async get(...read: Parameters<Store['get']>): Promise<Uint8Array> {
    if (journalPlaceOf(read[0]) !== null) {
      this.#remove(read[0]);
    }
    return super.get(...read);
  }
}

test('whoever goes on with a session that is just being ended is told to begin anew', async () => {
  const store = new EndingStore(at.vault.store, (name) => at.vault.objects.delete(name));
  const ids = { sessionId: randomUUID(), pointId: randomUUID() };
  const disks = { xvda: new MemoryDisk(noise(300 * KIB)) };
  await at.repository.beginSession({ ...ids, purpose: 'backup', pins: [] });
  await at.repository.writeDisk({
    sessionId: ids.sessionId,
    diskKey: 'xvda',
    sizeBytes: 300 * KIB,
    source: disks.xvda,
  });
  expect(at.named('sessions/').filter((name) => journalPlaceOf(name) !== null)).not.toEqual([]);
  await using other = await at.open({ store });
  await expect(backup(other, { ...ids, disks })).rejects.toMatchObject({ code: 'SESSION_FENCED' });
});
