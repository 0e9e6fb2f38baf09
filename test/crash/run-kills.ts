import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkVault, Finding, type KnownObjects } from './check.ts';
import type { KillAt } from './killing-files.ts';
import type { Operation } from './operation.ts';
import { createAt, openAt, storeAt, type Place } from './place.ts';
import type { S3Server } from '../support/s3-server.ts';
import { Random } from './random.ts';
import { checkUploads, surveyPacks } from './uploads.ts';
import { Victim } from './victim.ts';
import { checkSpace } from './space.ts';
import { COLLECT, SMALL_WORLD, World } from './world.ts';

export interface KillTally {
  kills: number;
  operations: number;
  resumed: number;
  /** By operation and kind of kill. */
  readonly by: Record<string, number>;
}

export function newTally(): KillTally {
  return { kills: 0, operations: 0, resumed: 0, by: {} };
}

export type MakePlace = (random: Random) => Promise<{ readonly place: Place; close(): Promise<void> }>;

/** In memory where there is such a folder: what a killed process leaves does not depend on the disk. */
export async function directoryPlace(random: Random): ReturnType<MakePlace> {
  const base = await mkdtemp(join(tmpdir(), 'holdfast-crash-'));
  const folder = join(base, 'store');
  await mkdir(folder);
  const place: Place = {
    target: { kind: 'directory', folder },
    keyFolder: join(base, 'keys'),
    tenantId: random.uuid(),
    repositoryId: random.uuid(),
  };
  return { place, close: () => rm(base, { recursive: true, force: true }) };
}

/** A prefix of its own in a bucket of a server that goes on running. */
export function s3Place(server: S3Server, bucket: string): MakePlace {
  return async (random) => {
    const keyFolder = await mkdtemp(join(tmpdir(), 'holdfast-crash-'));
    const { endpoint, credentials } = server;
    const repositoryId = random.uuid();
    const place: Place = {
      target: { kind: 's3', endpoint, bucket, prefix: repositoryId, credentials },
      keyFolder,
      tenantId: random.uuid(),
      repositoryId,
    };
    return { place, close: () => rm(keyFolder, { recursive: true, force: true }) };
  };
}

/** A vault's life: operation after operation, most of them killed, each kill followed by a look at everything. */
export async function runKills(seed: number, kills: number, makePlace: MakePlace, tally: KillTally): Promise<void> {
  const random = new Random(seed);
  const made = await makePlace(random);
  const { place } = made;
  const run = new KillRun(random, place, tally);
  try {
    await createAt(place);
    await run.go(kills);
  } catch (error) {
    throw new Finding(`Seed ${seed}, kill ${run.kills}, ${run.doing}: ${String(error)}`, { cause: error });
  } finally {
    await run.end();
    await made.close();
  }
}

class KillRun {
  kills = 0;
  doing = 'begin';
  readonly #random: Random;
  readonly #place: Place;
  readonly #tally: KillTally;
  readonly #world: World;
  readonly #known = knownByName();
  /** Of each kind of operation, what one that nobody interrupted took. */
  readonly #usual = new Map<string, { ms: number; changes: number }>();
  #victim = new Victim();
  #spare: Victim | null = null;

  constructor(random: Random, place: Place, tally: KillTally) {
    this.#random = random;
    this.#place = place;
    this.#tally = tally;
    this.#world = new World(random, SMALL_WORLD);
  }

  async go(kills: number): Promise<void> {
    await this.#victim.open(this.#place);
    while (this.kills < kills) {
      await this.#live(this.#world.next());
    }
    this.doing = 'collect at the end';
    await checkSpace(this.#place, this.#world);
  }

  async end(): Promise<void> {
    await Promise.all([this.#victim.end(), this.#spare?.end()]);
  }

  /** One operation, until it is done or given up. */
  async #live(operation: Operation): Promise<void> {
    const packs = await surveyPacks(this.#place);
    let collected = false;
    for (let attempt = 0; ; attempt += 1) {
      const before = attempt === 0 ? null : await surveyPacks(this.#place);
      const outcome = await this.#attempt(operation, attempt, collected);
      if (outcome !== 'killed') {
        if (outcome === 'done' && operation.kind === 'backup' && before !== null && !collected) {
          await checkUploads(this.#place, packs, before);
          this.#tally.resumed += 1;
        }
        return;
      }
      await this.#afterKill();
      if (operation.kind === 'backup') {
        if (this.#random.chance(0.25)) {
          const { sessionId, pointId } = operation;
          await this.#live({ kind: 'abandon', sessionId, pointId });
          return;
        }
        if (this.#random.chance(0.2)) {
          await this.#live(COLLECT);
          collected = true;
        }
      }
    }
  }

  /** A collection takes the writer that was killed for dead: who goes on after it may find itself fenced. */
  async #attempt(operation: Operation, attempt: number, collected: boolean): Promise<'done' | 'killed' | 'fenced'> {
    this.doing = `${operation.kind} ${operation.pointId}, attempt ${attempt}`;
    const how = attempt < 4 ? this.#chooseKill(operation.kind) : {};
    const began = performance.now();
    const answer = await this.#victim.perform(operation, how);
    this.#tally.operations += 1;
    if (answer.type === 'killed') {
      const by = `${operation.kind} ${how.at === undefined ? 'at a time' : 'at a change'}`;
      this.#tally.by[by] = (this.#tally.by[by] ?? 0) + 1;
      return 'killed';
    }
    if (answer.type === 'failed') {
      if (collected && operation.kind === 'backup' && answer.code === 'SESSION_FENCED') {
        this.#world.fenced(operation.pointId);
        return 'fenced';
      }
      throw new Finding(`${operation.kind} failed with ${answer.code}: ${answer.message}`);
    }
    const usual = this.#usual.get(operation.kind) ?? { ms: 0, changes: 0 };
    const ms = performance.now() - began;
    this.#usual.set(operation.kind, {
      ms: usual.ms === 0 ? ms : 0.7 * usual.ms + 0.3 * ms,
      changes: Math.max(answer.changes, Math.floor(usual.changes * 0.9)),
    });
    this.#world.done(operation, answer.outcome.digests);
    return 'done';
  }

  #chooseKill(kind: string): { readonly at?: KillAt; readonly afterMs?: number } {
    const usual = this.#usual.get(kind);
    if (usual === undefined || this.#random.chance(0.1)) {
      return {};
    }
    if (this.#random.chance(0.3) || usual.changes === 0) {
      return { afterMs: this.#random.int(Math.ceil(usual.ms * 1.1)) };
    }
    return {
      at: { change: 1 + this.#random.int(usual.changes), when: this.#random.chance(0.5) ? 'before' : 'after' },
    };
  }

  async #afterKill(): Promise<void> {
    this.kills += 1;
    this.#tally.kills += 1;
    this.#victim = this.#spare ?? new Victim();
    this.#spare = new Victim();
    this.doing = `${this.doing}, looking`;
    const store = storeAt(this.#place);
    await using repository = await openAt(this.#place, store);
    this.#world.saw(await checkVault(store, repository, this.#world.points, this.#known));
    await this.#victim.open(this.#place);
  }
}

/** What is never replaced and was whole stays so. */
function knownByName(): KnownObjects {
  const names = new Set<string>();
  return { isKnown: (name) => names.has(name), add: (name) => void names.add(name) };
}
