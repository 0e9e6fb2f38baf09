import { setImmediate as nextTurn } from 'node:timers/promises';
import { createRepository } from '../../create-repository.ts';
import type { Leases } from '../../ports/leases.ts';
import { MemoryLeases } from '../../sessions/memory-leases.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { MemoryStore } from '../../testing/memory-store.ts';
import type { Repository } from '../../repository.ts';
import { Excuses } from './excuses.ts';
import type { ModelCustody } from './model-custody.ts';
import type { Faults, Struck } from './fault-plan.ts';
import type { Random } from './random.ts';
import { MODEL_IDS, MODEL_PARAMETERS, modelKeyRing, openModelVault, readWhole } from './model-vault.ts';
import { ScheduledStore, type Operation } from './scheduled-store.ts';

const TRACE = 80;
const TOMBSTONE_BYTES = 168;

/** A process: it does one thing at a time, and may be stopped or killed at any request to the store. */
export class Actor {
  readonly id: number;
  repository: Repository | null = null;
  state: 'running' | 'stopped' | 'killed' = 'running';
  work: Promise<void> | null = null;
  /** Of what it is at. */
  readonly excuses = new Excuses();
  #wake: (() => void)[] = [];

  constructor(id: number) {
    this.id = id;
  }

  /** A process that is stopped renews no lease. */
  async whileRunning(): Promise<void> {
    while (this.state !== 'running') {
      await new Promise<void>((resolve) => {
        this.#wake.push(resolve);
      });
    }
  }

  wake(): void {
    this.state = 'running';
    this.#wake.splice(0).forEach((resolve) => resolve());
  }
}

export interface ModelPoint {
  readonly content: Uint8Array;
  readonly numbers: readonly number[];
  readonly custody: ModelCustody;
  state: 'announced' | 'live' | 'leaving' | 'deleted';
}

export type Activity = (world: World, actor: Actor, repository: Repository) => Promise<void>;

/** One store, the processes that work on it, and what must be true of it. */
export class World {
  readonly random: Random;
  readonly clock = new ManualClock();
  readonly store = new MemoryStore();
  readonly leases = new MemoryLeases(this.clock);
  readonly points = new Map<string, ModelPoint>();
  readonly trace: string[] = [];
  readonly failures: unknown[] = [];
  actors: Actor[] = [];
  /** Requests whose senders are gone. */
  late: { readonly label: string; readonly change: () => void }[] = [];
  mayBeLate = true;
  /** Null: the store never fails. */
  faults: Faults | null = null;
  deletions = 0;
  /** Deletions of points that had to stay. */
  refusals = 0;
  /** Requests that met an error of the store. */
  failed = 0;
  /** How many deletions there had been at the last audit. */
  audited = 0;
  #pending: Operation[] = [];
  #actors = 0;

  constructor(random: Random) {
    this.random = random;
  }

  async begin(): Promise<void> {
    const { store } = this;
    await createRepository({ store, keyRing: modelKeyRing, ...MODEL_IDS, parameters: MODEL_PARAMETERS });
  }

  addActor(): Actor {
    const actor = new Actor((this.#actors += 1));
    this.actors.push(actor);
    return actor;
  }

  async repositoryOf(actor: Actor): Promise<Repository> {
    const send = (operation: Operation): void => void this.#pending.push(operation);
    const store = new ScheduledStore(this.store, actor.id, send, (...change) => this.#noteChange(...change));
    const leases: Leases = {
      beat: async (lease) => {
        await actor.whileRunning();
        await this.leases.beat(lease);
      },
      isAlive: (lease) => this.leases.isAlive(lease),
      release: (lease) => this.leases.release(lease),
    };
    actor.repository ??= await openModelVault(store, leases, this.clock);
    return actor.repository;
  }

  get ready(): Operation[] {
    return this.#pending.filter(({ actor }) => this.#find(actor)?.state === 'running');
  }

  /** Lets one request happen, and what follows from its answer until the next one. */
  async happen(operation: Operation): Promise<void> {
    this.#pending = this.#pending.filter((each) => each !== operation);
    this.note(`${operation.actor} ${operation.label}`);
    const struck = (await this.faults?.strike(operation)) ?? null;
    if (struck !== null) {
      await this.#fail(operation, struck);
      return;
    }
    operation.happen();
    if (operation.change !== null && this.mayBeLate && this.random.chance(0.02)) {
      this.late.push({ label: `again ${operation.label}`, change: operation.change });
    }
    await settle();
  }

  async #fail({ actor, label, change, fail }: Operation, { error, effect }: Struck): Promise<void> {
    this.note(`${actor} fails of ${String(error)} ${effect === 'never' || change === null ? '' : effect}`.trimEnd());
    if (effect === 'done') {
      change?.();
    } else if (effect === 'late' && change !== null && this.mayBeLate) {
      this.late.push({ label: `late ${label}`, change });
    }
    this.#find(actor)?.excuses.add(error);
    this.failed += 1;
    fail(error);
    await settle();
  }

  /** Its requests are lost, or arrive later. */
  async kill(actor: Actor): Promise<void> {
    this.note(`kill ${actor.id}`);
    actor.state = 'killed';
    this.actors = this.actors.filter((each) => each !== actor);
    const own = this.#pending.filter((operation) => operation.actor === actor.id);
    this.#pending = this.#pending.filter((operation) => operation.actor !== actor.id);
    for (const { label, change } of own) {
      if (change !== null && this.mayBeLate && this.random.chance(0.5)) {
        this.late.push({ label: `late ${label}`, change });
      }
    }
    await settle();
  }

  arrive(): void {
    const at = this.random.below(this.late.length);
    const [late] = this.late.splice(at, 1);
    this.note(late?.label ?? '');
    late?.change();
  }

  newId(): string {
    const hex = this.random.bytes(16).toString('hex');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
  }

  hasSession(sessionId: string): boolean {
    return this.store.objects.has(`sessions/${sessionId}`);
  }

  /** A writer that was taken for dead is fenced first; what it still does after that may fail. */
  mayCommit({ sessionId, pointId }: { readonly sessionId: string; readonly pointId: string }): boolean {
    return this.hasSession(sessionId) && this.store.objects.get(`points/${pointId}`)?.length !== TOMBSTONE_BYTES;
  }

  note(line: string): void {
    this.trace.push(line);
    this.trace.splice(0, this.trace.length - TRACE);
  }

  idsOf(...states: readonly ModelPoint['state'][]): string[] {
    return [...this.points].filter(([, { state }]) => states.includes(state)).map(([pointId]) => pointId);
  }

  /** While nothing happens: what is listed is what the model has, and every listed point restores byte for byte. */
  async audit(): Promise<void> {
    await using repository = await openModelVault(this.store, this.leases, this.clock);
    const listed = new Set<string>();
    for await (const { pointId } of repository.listPoints()) {
      listed.add(pointId);
      const state = this.points.get(pointId)?.state;
      if (state !== 'live' && state !== 'leaving') {
        throw new Error(`${pointId} is listed, but is ${state}`);
      }
    }
    for (const pointId of this.idsOf('live').filter((each) => !listed.has(each))) {
      throw new Error(`${pointId} is not listed any more`);
    }
    for (const pointId of listed) {
      const whole = await readWhole(repository, pointId);
      if (Buffer.compare(whole, this.points.get(pointId)?.content ?? whole) !== 0) {
        throw new Error(`${pointId} restores to something else`);
      }
      await this.#requireCustody(repository, pointId);
    }
  }

  async #requireCustody(repository: Repository, pointId: string): Promise<void> {
    const expected = this.points.get(pointId)?.custody;
    const { holds, retainUntil } = await repository.readCustody(pointId);
    const lost = expected?.holds.filter((id) => !holds.some(({ holdId }) => holdId === id)) ?? [];
    if (lost.length > 0 || retainUntil < (expected?.retainedUntil ?? 0)) {
      throw new Error(`${pointId} lost its holds ${lost.join(', ')}, or is retained until ${retainUntil} only`);
    }
  }

  #find(id: number): Actor | undefined {
    return this.actors.find((actor) => actor.id === id);
  }

  #noteChange(_: number, kind: 'put' | 'delete', name: string): void {
    const [folder, id = ''] = name.split('/');
    this.deletions += kind === 'delete' && (folder === 'data' || folder === 'meta' || folder === 'index') ? 1 : 0;
    const point = folder === 'points' && kind === 'put' ? this.points.get(id) : undefined;
    if (point?.state === 'announced' && this.store.objects.get(name)?.length !== TOMBSTONE_BYTES) {
      point.state = 'live';
    }
  }
}

/** Promises settle in one turn: nothing here waits for anything but the store. */
export async function settle(): Promise<void> {
  await nextTurn();
  await nextTurn();
}
