import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { MIB } from '../../src/kernel/bytes.ts';
import { checkVault, Finding } from './check.ts';
import { Ext4Disk } from './ext4-disk.ts';
import type { Operation } from './operation.ts';
import { createAt, openAt, storeAt, type Place } from './place.ts';
import { Random } from './random.ts';
import { Victim } from './victim.ts';
import { SMALL_WORLD, World } from './world.ts';

const DISK_BYTES = 96 * MIB;
const NOTHING = { isKnown: () => false, add: () => {} };

export interface Ext4Tally {
  cuts: number;
  operations: number;
}

export function newExt4Tally(): Ext4Tally {
  return { cuts: 0, operations: 0 };
}

/** A vault on a real ext4 whose power is cut while a process works on it: what the model says is held against the world. */
export async function runExt4Cuts(seed: number, cuts: number, tally: Ext4Tally): Promise<void> {
  const random = new Random(seed);
  const base = await mkdtemp(join(tmpdir(), 'holdfast-ext4-'));
  const disk = new Ext4Disk(base);
  const place: Place = {
    target: { kind: 'directory', folder: disk.folder },
    keyFolder: join(base, 'keys'),
    tenantId: random.uuid(),
    repositoryId: random.uuid(),
  };
  const world = new World(random, SMALL_WORLD);
  try {
    await disk.make(DISK_BYTES);
    await createAt(place);
    let unfinished: Operation | null = null;
    for (let cut = 0; cut < cuts; cut += 1) {
      unfinished = await workUntilCut(disk, place, world, { random, tally, first: unfinished });
      await disk.mount();
      const store = storeAt(place);
      await using repository = await openAt(place, store);
      world.saw(await checkVault(store, repository, world.points, NOTHING));
    }
  } catch (error) {
    throw new Finding(`Seed ${seed}, cut ${tally.cuts}: ${String(error)}`, { cause: error });
  } finally {
    await disk.remove();
    await rm(base, { recursive: true, force: true });
  }
}

interface Work {
  readonly random: Random;
  readonly tally: Ext4Tally;
  /** What the last process did not finish. */
  readonly first: Operation | null;
}

/** Returns what was being done when the power went. */
async function workUntilCut(disk: Ext4Disk, place: Place, world: World, work: Work): Promise<Operation> {
  const victim = new Victim();
  let isCut = false;
  try {
    await victim.open(place);
    const cutLater = async (): Promise<void> => {
      await delay(work.random.int(2500));
      isCut = true;
      await disk.cutPower();
    };
    const cutting = cutLater();
    for (let operation = work.first ?? world.next(); ; operation = world.next()) {
      const answer = await victim.perform(operation, {});
      work.tally.operations += 1;
      if (answer.type === 'done') {
        world.done(operation, answer.outcome.digests);
      } else if (isCut) {
        await cutting;
        work.tally.cuts += 1;
        return operation;
      } else {
        throw new Finding(`${operation.kind} failed: ${JSON.stringify(answer)}`);
      }
    }
  } finally {
    await victim.end();
    await disk.unmount();
  }
}
