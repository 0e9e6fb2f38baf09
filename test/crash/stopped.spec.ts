import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Repository } from '../../src/engine/index.ts';
import { makeContent } from '../../src/engine/collect/testing/model-vault.ts';
import { backup, MemoryDisk, restore, sameBytes } from '../../src/engine/testing/test-vault.ts';
import { createAt, openAt, storeAt, type Place } from './place.ts';
import type { FromStoppable, StoppableJob } from './stoppable.ts';

const PROGRAM = fileURLToPath(new URL('./stoppable.ts', import.meta.url));
const STRETCHES = 64;
/** Every second run of stretches is in both points, each long enough to hold chunks that are the same in both. */
const isShared = (at: number): boolean => Math.floor(at / 4) % 2 === 0;
const GONE = Array.from({ length: STRETCHES }, (_, i) => (isShared(i) ? i : 1000 + i));
const KEPT = Array.from({ length: STRETCHES }, (_, i) => (isShared(i) ? i : 2000 + i));

let folder: string;
let place: Place;
const contents = new Map<string, Uint8Array>();

/** Two points; the first is deleted, so that half of its packs is to be copied and all of them are to go. */
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-stopped-'));
  place = {
    target: { kind: 'directory', folder: join(folder, 'store') },
    keyFolder: join(folder, 'keys'),
    tenantId: randomUUID(),
    repositoryId: randomUUID(),
  };
  await mkdir(join(folder, 'store'));
  await createAt(place);
  contents.clear();
  await using repository = await openAt(place);
  const gone = await store(repository, GONE);
  await store(repository, KEPT);
  await repository.deletePoint(gone);
  contents.delete(gone);
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function store(repository: Repository, numbers: readonly number[]): Promise<string> {
  const data = makeContent(numbers);
  const { summary } = await backup(repository, { disks: { xvda: new MemoryDisk(data) } });
  contents.set(summary.pointId, data);
  return summary.pointId;
}

/** Whoever else has a session is taken for dead. */
async function collect(): Promise<void> {
  await using repository = await openAt(place);
  const result = await repository.collect({ graceMs: 0, minLiveShare: 1 });
  expect(result).toMatchObject({ unreadable: [], lostChunks: 0, damagedPacks: [] });
}

async function sizeOf(prefix: string): Promise<number> {
  let bytes = 0;
  for await (const { sizeBytes } of storeAt(place).list(prefix)) {
    bytes += sizeBytes;
  }
  return bytes;
}

/** Stops a process where it is to be held, without its help; it goes on after `meanwhile`. Returns how it ended. */
async function stopped(job: Omit<StoppableJob, 'place'>, meanwhile: () => Promise<void>): Promise<string | null> {
  const child = fork(PROGRAM, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], execArgv: [] });
  const exited = once(child, 'exit');
  try {
    child.send({ place, ...job } satisfies StoppableJob);
    const [reached] = (await once(child, 'message')) as [FromStoppable];
    expect(reached).toEqual({ type: 'reached' });
    child.kill('SIGSTOP');
    await meanwhile();
    child.kill('SIGCONT');
    const ending = once(child, 'message');
    child.send('go on');
    const [ended] = (await ending) as [FromStoppable];
    await exited;
    return ended.type === 'ended' ? ended.code : 'reached again';
  } finally {
    child.kill('SIGKILL');
  }
}

/** Everything that is listed restores, and a collection leaves nothing but what that needs. */
async function expectWhole(): Promise<void> {
  await collect();
  await using repository = await openAt(place);
  const listed: string[] = [];
  for await (const { pointId } of repository.listPoints()) {
    listed.push(pointId);
    expect(sameBytes(await restore(repository, pointId, 'xvda'), contents.get(pointId) ?? new Uint8Array(0))).toBe(
      true,
    );
  }
  expect(listed.toSorted()).toEqual([...contents.keys()].toSorted());
  const needed = [...contents.values()].reduce((sum, { length }) => sum + length, 0);
  expect(await sizeOf('data/')).toBeLessThan(1.1 * needed);
  expect(await sizeOf('sessions/')).toBe(0);
}

test.each([
  ['in the middle of a disk', 'data/', 3],
  ['just before its commit', 'points/', 1],
])('a writer that is stopped %s, and fenced and collected meanwhile, ends as fenced', async (_, prefix, count) => {
  // Half of it is in packs of the deleted point, which go while the writer sleeps.
  const numbers = GONE.map((number, i) => (i < STRETCHES / 2 ? number : 3000 + i));
  const work = { kind: 'backup', sessionId: randomUUID(), pointId: randomUUID(), numbers } as const;
  const before = await sizeOf('data/');
  const code = await stopped({ work, hold: { request: 'put', prefix, count } }, async () => {
    expect(await sizeOf('data/')).toBeGreaterThan(before);
    await collect();
    await collect();
    expect(await sizeOf('sessions/')).toBe(0);
    expect(await sizeOf('data/')).toBeLessThan(before);
  });
  expect(code).toBe('SESSION_FENCED');
  await expectWhole();
});

test.each([
  ['copying', 'put', 2],
  ['deleting', 'delete', 2],
] as const)(
  'a collector that is stopped half-way through %s, and woken after another, loses nothing',
  async (_, request, count) => {
    const hold = { request, prefix: 'data/', count };
    const code = await stopped({ work: { kind: 'collect' }, hold }, async () => {
      await collect();
      await using repository = await openAt(place);
      await store(repository, GONE);
    });
    expect([null, 'SESSION_FENCED']).toContain(code);
    await expectWhole();
  },
);
