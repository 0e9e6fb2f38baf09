import { isAppError } from '../../../kernel/errors.ts';
import { MemoryStore } from '../../testing/memory-store.ts';
import { MemoryDisk } from '../../testing/test-vault.ts';
import type { Repository } from '../../repository.ts';
import { restoreInto, sinkOf } from './model-actors.ts';
import { makeContent, openModelVault, readWhole, STRETCH_BYTES } from './model-vault.ts';
import { ModelCustody } from './model-custody.ts';
import { World, type ModelPoint } from './model-world.ts';
import { Random } from './random.ts';

/** A point of which one stretch is changed. */
export interface Base {
  readonly pointId: string;
  readonly at: number;
}

/** Where runs of one schedule begin: a store, and what it should hold. */
interface Scene {
  readonly objects: ReadonlyMap<string, Uint8Array>;
  readonly points: ReadonlyMap<string, ModelPoint>;
  readonly now: number;
  /** Identifiers that the schedule needs again. */
  readonly names: ReadonlyMap<string, string>;
}

/** A store and what must be true of it, for schedules that somebody wrote down. */
export class Stage {
  readonly world: World;
  /** Restore points by what the schedule calls them. */
  readonly names = new Map<string, string>();
  /** Sessions that have begun, with the point that each pins. */
  readonly #pins = new Map<string, string>();

  constructor(seed: number) {
    this.world = new World(new Random(seed));
    this.world.mayBeLate = false;
  }

  static from(scene: Scene, seed: number): Stage {
    const stage = new Stage(seed);
    scene.objects.forEach((data, name) => stage.world.store.objects.set(name, data));
    scene.points.forEach((point, id) => stage.world.points.set(id, { ...point }));
    scene.names.forEach((id, name) => stage.names.set(name, id));
    stage.world.clock.advance(scene.now - stage.world.clock.now());
    return stage;
  }

  toScene(): Scene {
    const { store, points, clock } = this.world;
    return { objects: new Map(store.objects), points: new Map(points), now: clock.now(), names: new Map(this.names) };
  }

  idOf(name: string): string {
    const id = this.names.get(name);
    if (id === undefined) {
      throw new Error(`there is no point ${name}`);
    }
    return id;
  }

  setState(pointId: string, state: ModelPoint['state']): void {
    const point = this.world.points.get(pointId);
    if (point !== undefined) {
      point.state = state;
    }
  }

  /** A process of which all requests happen at once. */
  open(): Promise<Repository> {
    const { store, leases, clock } = this.world;
    return openModelVault(store, leases, clock);
  }

  /** A backup under this name. Refused only where its base is deleted: then there is no such point. */
  async write(repository: Repository, name: string, numbers: readonly number[], base?: Base): Promise<void> {
    const { world } = this;
    const [sessionId, pointId] = [world.newId(), world.newId()];
    const content = makeContent(numbers);
    const pins = base === undefined ? [] : [base.pointId];
    const point: ModelPoint = { content, numbers, state: 'announced', custody: new ModelCustody() };
    world.points.set(pointId, point);
    this.names.set(name, pointId);
    try {
      await repository.beginSession({ sessionId, pointId, purpose: 'backup', pins });
      await this.#pin(sessionId, base?.pointId);
      const changed = [{ offset: (base?.at ?? 0) * STRETCH_BYTES, length: STRETCH_BYTES }];
      const disk = await repository.writeDisk({
        sessionId,
        diskKey: 'xvda',
        sizeBytes: content.length,
        source: new MemoryDisk(content),
        sampleBytes: 0,
        ...(base === undefined ? {} : { base: { pointId: base.pointId, diskKey: 'xvda' }, changed }),
      });
      const config = new Uint8Array(0);
      await repository.commitPoint({ sessionId, pointId, vmId: 'vm', takenAt: 0, disks: [disk], config, info: {} });
      point.state = 'live';
    } catch (error) {
      this.#requireDeleted(error, base?.pointId);
    }
    this.#pins.delete(sessionId);
    await repository.endSession(sessionId);
  }

  /** A restore under a session that pins the point. Refused only where that is deleted. */
  async restore(repository: Repository, name: string): Promise<void> {
    const pointId = this.idOf(name);
    const sessionId = this.world.newId();
    const content = this.world.points.get(pointId)?.content ?? new Uint8Array(0);
    const restored = new Uint8Array(content.length);
    try {
      await repository.beginSession({ sessionId, pointId: this.world.newId(), purpose: 'restore', pins: [pointId] });
      await this.#pin(sessionId, pointId);
      const sink = sinkOf(restored);
      await restoreInto(restored, () => repository.restoreDisk({ sessionId, pointId, diskKey: 'xvda', sink }));
      if (Buffer.compare(restored, content) !== 0) {
        throw new Error(`${name} was restored to something else`);
      }
    } catch (error) {
      this.#requireDeleted(error, pointId);
    }
    this.#pins.delete(sessionId);
    await repository.endSession(sessionId);
  }

  async deletePoint(name: string): Promise<void> {
    const pointId = this.idOf(name);
    const repository = await this.open();
    await repository.deletePoint(pointId);
    this.setState(pointId, 'deleted');
  }

  /** Whole, by a process of its own. */
  async collect(graceMs = 0, minLiveShare = 0.5): Promise<void> {
    await (await this.open()).collect({ graceMs, minLiveShare });
  }

  /** Listed points restore, and so does what open sessions pin, deleted or not. */
  async audit(): Promise<void> {
    await this.world.audit();
    for (const pointId of this.#pins.values()) {
      await this.#auditPinned(pointId);
    }
  }

  async #pin(sessionId: string, pointId: string | undefined): Promise<void> {
    if (pointId !== undefined) {
      this.#pins.set(sessionId, pointId);
      await this.#auditPinned(pointId);
    }
  }

  async #auditPinned(pointId: string): Promise<void> {
    const { store, leases, clock, points } = this.world;
    const undeleted = new MemoryStore();
    store.objects.forEach((data, name) => {
      if (!name.startsWith(`custody/${pointId}/`)) {
        undeleted.objects.set(name, data);
      }
    });
    const whole = await readWhole(await openModelVault(undeleted, leases, clock), pointId);
    if (Buffer.compare(whole, points.get(pointId)?.content ?? whole) !== 0) {
      throw new Error(`${pointId}, which is pinned, restores to something else`);
    }
  }

  #requireDeleted(error: unknown, pointId: string | undefined): void {
    const isDeleted = this.world.points.get(pointId ?? '')?.state === 'deleted';
    if (!isDeleted || !isAppError(error, 'NO_RESTORE_POINT') || this.#isMissing(pointId ?? '')) {
      throw error;
    }
  }

  /** Something that was pinned went away all the same. */
  #isMissing(pointId: string): boolean {
    return [...this.#pins.values()].includes(pointId) && !this.world.store.objects.has(`points/${pointId}`);
  }
}
