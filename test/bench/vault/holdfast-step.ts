import { randomUUID } from 'node:crypto';
import { readSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import type { BlockSink, BlockSource, ByteRange, Repository } from '../../../src/engine/index.ts';

/** One step of the engine, in a process of its own: what the other programs' command lines are. */
interface StepOrder {
  /** The folder of the built engine. */
  readonly engine: string;
  readonly clock: string;
  readonly step: string;
  readonly store: string;
  readonly keys: string;
  readonly tenantId: string;
  readonly repositoryId: string;
  /** The point that a backup makes, and what reads reads; the name of its file of changes. */
  readonly pointId: string;
  readonly basePointId?: string;
  readonly changes?: string;
  readonly disk?: string;
  /** Where a restore goes to; nowhere if absent. */
  readonly target?: string;
}

type Engine = typeof import('../../../src/engine/index.ts');
type Clocks = typeof import('../../../src/kernel/clock.ts');

const CHANGE_BYTES = 65_536;
const order = JSON.parse(process.argv[2] ?? '{}') as StepOrder;
const engine = (await import(pathToFileURL(order.engine).href)) as Engine;
const { systemClock } = (await import(pathToFileURL(order.clock).href)) as Clocks;
const { tenantId, repositoryId } = order;
const common = {
  tenantId,
  repositoryId,
  store: new engine.DirectoryStore(order.store),
  keyRing: new engine.FileKeyRing(order.keys),
  clock: systemClock,
};

if (order.step === 'create') {
  await engine.createRepository(common);
} else {
  await using repository = await engine.openRepository({ ...common, leases: new engine.MemoryLeases(systemClock) });
  await work(repository);
}

async function work(repository: Repository): Promise<void> {
  switch (order.step) {
    case 'verify tags':
      await verify(repository, 1);
      break;
    case 'verify deep':
      await verify(repository, 2);
      break;
    case 'restore':
      await restore(repository);
      break;
    case 'delete + collect':
      await collect(repository);
      break;
    default:
      await backup(repository);
  }
}

async function backup(repository: Repository): Promise<void> {
  const { pointId, basePointId, disk = '' } = order;
  const sessionId = randomUUID();
  const pins = basePointId === undefined ? [] : [basePointId];
  const file = await open(disk);
  const { size: sizeBytes } = await file.stat();
  const source: BlockSource = {
    concurrency: 4,
    // What it reads lies in memory already: another thread would take longer to be woken than to copy it.
    read: async (offset, into) => {
      readSync(file.fd, into, 0, into.length, offset);
    },
  };
  await repository.beginSession({ sessionId, pointId, purpose: 'backup', pins });
  const base =
    basePointId === undefined
      ? {}
      : { base: { pointId: basePointId, diskKey: 'disk' }, changed: await changedRanges(order.changes ?? '') };
  const result = await repository.writeDisk({ sessionId, diskKey: 'disk', sizeBytes, source, ...base });
  const config = new Uint8Array(0);
  await repository.commitPoint({ sessionId, pointId, vmId: 'vm', takenAt: 0, disks: [result], config, info: {} });
  await repository.endSession(sessionId);
  await file.close();
}

async function changedRanges(path: string): Promise<ByteRange[]> {
  const blocks = JSON.parse(await readFile(path, 'utf8')) as number[];
  return blocks.map((block) => ({ offset: block * CHANGE_BYTES, length: CHANGE_BYTES }));
}

async function verify(repository: Repository, level: 1 | 2): Promise<void> {
  const result = await repository.verify({ level });
  if (result.damagedObjects.length > 0) {
    throw new Error(`${result.damagedObjects.length} damaged objects`);
  }
}

async function restore(repository: Repository): Promise<void> {
  const { pointId, target } = order;
  const sessionId = randomUUID();
  const file = target === undefined ? null : await open(target, 'w');
  const sink: BlockSink = {
    concurrency: 4,
    write: async (offset, data) => {
      await file?.write(data, 0, data.length, offset);
    },
  };
  await repository.beginSession({ sessionId, pointId: randomUUID(), purpose: 'restore', pins: [pointId] });
  const { sizeBytes } = await repository.restoreDisk({ pointId, diskKey: 'disk', sink });
  await repository.endSession(sessionId);
  await file?.truncate(sizeBytes);
  await file?.close();
}

async function collect(repository: Repository): Promise<void> {
  await repository.deletePoint(order.pointId);
  await repository.collect({ graceMs: 0 });
}
