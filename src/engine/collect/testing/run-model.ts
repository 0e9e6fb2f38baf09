import { HEADER_BYTES } from '../../format/header.ts';
import { FOOTER_BYTES, TABLE_ENTRY_BYTES } from '../../format/pack-builder.ts';
import { TAG_BYTES } from '../../format/seal.ts';
import { openModelVault, readWhole } from './model-vault.ts';
import { ActivityMix } from './activity-mix.ts';
import { backUp, collect } from './model-actors.ts';
import { FaultPlan } from './fault-plan.ts';
import { settle, World, type Activity, type Actor } from './model-world.ts';
import type { Random } from './random.ts';

const DAY = 24 * 60 * 60 * 1000;
const MAX_ACTORS = 5;
const MAX_DRAIN = 20_000;

export interface ModelCounts {
  /** Backups that were begun. */
  readonly points: number;
  /** Of packs and index segments. */
  readonly deletions: number;
  /** Deletions of points that had to stay. */
  readonly refusals: number;
  /** Requests that met an error of the store. */
  readonly failed: number;
}

/**
 * One run: random actors at random steps, then everything ends, then a collection leaves what live points need.
 * `faults`: what decides which requests of the actors fail; null: none does.
 */
export async function runModel(
  random: Random,
  steps: number,
  { faults = null }: { readonly faults?: Random | null } = {},
): Promise<ModelCounts> {
  const world = new World(random);
  world.faults = faults === null ? null : new FaultPlan(faults);
  await world.begin();
  const mix = new ActivityMix(random);
  try {
    for (let step = 0; step < steps; step += 1) {
      await takeStep(world, mix);
      await auditSometimes(world);
    }
    await drain(world);
    if (faults !== null) {
      await requireRecovery(world);
    }
    await world.audit();
    await requireNoWaste(world);
  } catch (error) {
    throw new Error(`${String(error)}\n${world.trace.join('\n')}`, { cause: error });
  }
  return { points: world.points.size, deletions: world.deletions, refusals: world.refusals, failed: world.failed };
}

async function takeStep(world: World, mix: ActivityMix): Promise<void> {
  const { random } = world;
  const dice = random.next();
  if (dice < 0.02) {
    await disturb(world);
  } else if (dice < 0.03 && world.late.length > 0) {
    world.arrive();
  } else if (dice < 0.035) {
    world.clock.advance(random.chance(0.5) ? 20_000 : 150_000);
    await settle();
  } else {
    await advance(world, mix);
  }
  requireNoFailure(world);
}

async function advance(world: World, mix: ActivityMix): Promise<void> {
  const { random } = world;
  const idle = world.actors.filter(({ work, state }) => work === null && state === 'running');
  const ready = world.ready;
  if (ready.length > 0 && (idle.length + (MAX_ACTORS - world.actors.length) === 0 || random.chance(0.97))) {
    // Often the same actor goes on for a while: otherwise nobody ever gets far while another does nothing.
    const operation = random.chance(0.7) ? ready[0] : random.pick(ready);
    if (operation !== undefined) {
      await world.happen(operation);
    }
    return;
  }
  const actor = random.pick(idle) ?? (world.actors.length < MAX_ACTORS ? world.addActor() : undefined);
  if (actor !== undefined) {
    start(world, actor, mix.pick());
    await settle();
  }
}

async function disturb(world: World): Promise<void> {
  const { random } = world;
  const actor = random.pick(world.actors);
  if (actor === undefined) {
    return;
  }
  if (actor.state === 'stopped') {
    world.note(`wake ${actor.id}`);
    actor.wake();
  } else if (random.chance(0.6)) {
    world.note(`stop ${actor.id}`);
    actor.state = 'stopped';
  } else if (random.chance(0.5)) {
    await world.kill(actor);
  }
}

function start(world: World, actor: Actor, activity: Activity): void {
  world.note(`${actor.id} begins to ${activity.name}`);
  actor.excuses.clear();
  const work = async (): Promise<void> => {
    try {
      await activity(world, actor, await world.repositoryOf(actor));
    } catch (error) {
      if (actor.excuses.excuse(error)) {
        recover(world, actor, error);
      } else if (actor.state !== 'killed') {
        world.failures.push(error);
      }
    } finally {
      actor.work = null;
    }
  };
  actor.work = work();
}

/** A process goes on with what it knows, or is begun anew. */
function recover(world: World, actor: Actor, error: unknown): void {
  world.note(`${actor.id} gives up: ${String(error)}`);
  if (world.random.chance(0.3)) {
    actor.repository = null;
  }
}

/** Once nothing fails any more, everybody's next work succeeds, whatever they met before. */
async function requireRecovery(world: World): Promise<void> {
  world.faults = null;
  for (const activity of [backUp, collect]) {
    for (const actor of world.actors) {
      start(world, actor, activity);
    }
    await settle();
    await drain(world);
  }
}

/** The moments after something was deleted are those that tell. */
async function auditSometimes(world: World): Promise<void> {
  const before = world.audited;
  if (world.deletions > before && world.random.chance(0.25)) {
    world.audited = world.deletions;
    await world.audit();
  }
}

/** Everybody goes on to the end of what they are at; what is late arrives. */
async function drain(world: World): Promise<void> {
  world.mayBeLate = false;
  for (const actor of world.actors.filter(({ state }) => state === 'stopped')) {
    actor.wake();
    await settle();
  }
  for (let steps = 0; world.actors.some(({ work }) => work !== null); steps += 1) {
    const operation = world.random.pick(world.ready);
    if (operation === undefined || steps > MAX_DRAIN) {
      throw new Error('somebody never ends');
    }
    await world.happen(operation);
    await auditSometimes(world);
    requireNoFailure(world);
  }
  while (world.late.length > 0) {
    world.arrive();
  }
}

export async function requireNoWaste(world: World): Promise<void> {
  world.clock.advance(31 * DAY);
  const { store, leases, clock } = world;
  {
    await using repository = await openModelVault(store, leases, clock);
    for (let round = 0; round < 2; round += 1) {
      const result = await repository.collect({ graceMs: 0, minLiveShare: 1 });
      if (result.unreadable.length + result.lostChunks + result.damagedPacks.length > 0) {
        throw new Error(`a collection found damage: ${JSON.stringify(result)}`);
      }
      clock.advance(31 * DAY);
    }
  }
  await world.audit();
  const { metaPacks, reads } = await findNeeded(world);
  const allowed = (name: string): boolean =>
    /^(repo\.0|epoch\/\d+|index\/0\/.*|condemned\/\d+(\.waits)?)$/.test(name) ||
    isReadWhole(reads.get(name) ?? [], store.objects.get(name)?.length ?? 0) ||
    metaPacks.has(name) ||
    world
      .idsOf('live', 'leaving')
      .some((pointId) => name === `points/${pointId}` || name.startsWith(`custody/${pointId}/`));
  const waste = [...store.objects.keys()].filter((name) => !allowed(name));
  if (waste.length > 0) {
    throw new Error(`left over: ${waste.join(', ')}`);
  }
}

interface Needed {
  readonly metaPacks: ReadonlySet<string>;
  /** Of each data pack: what was read of it. */
  readonly reads: ReadonlyMap<string, readonly ReadPart[]>;
}

interface ReadPart {
  readonly offset: number;
  readonly end: number;
}

/** What is read when everything is restored, a frame at a time. */
async function findNeeded(world: World): Promise<Needed> {
  const { store, leases, clock } = world;
  const reads = new Map<string, ReadPart[]>();
  const watched = new Proxy(store, {
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== 'function') {
        return value;
      }
      return (...args: unknown[]): unknown => {
        const [name, offset, into] = args;
        if (key === 'getRange' && typeof name === 'string' && name.startsWith('data/')) {
          const part = { offset: Number(offset), end: Number(offset) + (into as Uint8Array).length };
          reads.set(name, [...(reads.get(name) ?? []), part]);
        }
        return Reflect.apply(value, target, args);
      };
    },
  });
  const metaPacks = new Set<string>();
  await using repository = await openModelVault(watched, leases, clock);
  for await (const { pointId } of repository.listPoints()) {
    await readWhole(repository, pointId);
    for (const { layers } of (await repository.readPoint(pointId)).disks) {
      layers.forEach(({ packs }) => packs.forEach(({ id }) => metaPacks.add(`meta/${id.slice(0, 2)}/${id}`)));
    }
  }
  return { metaPacks, reads };
}

/** Whether somebody needs every frame of a pack: between its header and its table there is nothing that was not read. */
function isReadWhole(reads: readonly ReadPart[], sizeBytes: number): boolean {
  // Those to the end are for the table.
  const parts = reads.filter(({ offset, end }) => offset >= HEADER_BYTES && end < sizeBytes);
  const frames = new Map(parts.map(({ offset, end }) => [offset, end]));
  let at = HEADER_BYTES;
  for (let end = frames.get(at); end !== undefined; end = frames.get(at)) {
    at = end;
  }
  return frames.size > 0 && sizeBytes - at === frames.size * TABLE_ENTRY_BYTES + TAG_BYTES + FOOTER_BYTES;
}

function requireNoFailure(world: World): void {
  const [failure] = world.failures;
  if (failure !== undefined) {
    throw failure;
  }
}
