import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { KIB } from '../../kernel/bytes.ts';
import { createRepository } from '../create-repository.ts';
import { FileKeyRing } from '../keys/file-key-ring.ts';
import { openRepository } from '../open-repository.ts';
import { MemoryLeases } from '../sessions/memory-leases.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { RetainingStore } from '../testing/retaining-store.ts';
import { MemoryDisk, SMALL_PARAMETERS } from '../testing/test-vault.ts';

vi.mock('../worker/lane.ts', () => import('../testing/inline-lane.ts'));

test('a commit that takes long, for all that is to be locked, is taken for dead by nobody', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-commit-'));
  const clock = new ManualClock();
  const store = new RetainingStore();
  const ids = { tenantId: randomUUID(), repositoryId: randomUUID() };
  const options = { ...ids, keyRing: new FileKeyRing(folder), clock, leases: new MemoryLeases(clock), workers: 1 };
  try {
    await createRepository({ ...options, store, parameters: SMALL_PARAMETERS, immutable: true });
    await using repository = await openRepository({ ...options, store });
    await using other = await openRepository({ ...options, store });
    const { retention } = store;
    const slow = vi.spyOn(retention, 'lockUntil');
    slow.mockImplementationOnce(async () => {
      for (let minute = 0; minute < 5; minute += 1) {
        clock.advance(60_000);
        await setImmediate();
      }
      await other.collect({ graceMs: 0 });
    });
    const [sessionId, pointId] = [randomUUID(), randomUUID()];
    await repository.beginSession({ sessionId, pointId, purpose: 'backup', pins: [] });
    const source = new MemoryDisk(randomBytes(100 * KIB));
    const sizeBytes = source.data.length;
    const disk = await repository.writeDisk({ sessionId, diskKey: 'xvda', sizeBytes, source });
    const rest = { vmId: 'vm', takenAt: 0, config: new Uint8Array(0), info: {} };
    const retainUntil = clock.now() + 1e9;
    const point = await repository.commitPoint({ sessionId, pointId, retainUntil, disks: [disk], ...rest });
    expect(point.pointId).toBe(pointId);
    expect(slow).toHaveBeenCalled();
  } finally {
    await rm(folder, { recursive: true });
  }
});
