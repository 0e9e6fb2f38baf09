import { KIB } from '../../src/kernel/bytes.ts';
import type { ByteRange } from '../../src/engine/index.ts';
import { changeDisk, newDisk, renderDisk, sha256, type DiskRecipe } from './disk-recipe.ts';
import type { BackupOperation, DiskToBackUp, Operation } from './operation.ts';
import type { Random } from './random.ts';

/**
 * `begun`: it may be there or not. `committed`: it must be there. `going`: it may be gone or not, for it is being
 * deleted. `gone`: it must not be there ever again.
 */
export type PointState = 'begun' | 'committed' | 'going' | 'gone';

export interface KnownPoint {
  state: PointState;
  readonly vmId: string;
  /** Sizes of its disks together. */
  readonly bytes: number;
  /** SHA-256 of its disks. */
  readonly digests: Readonly<Record<string, string>>;
}

interface Version {
  readonly pointId: string;
  readonly changed: Readonly<Record<string, readonly ByteRange[]>>;
}

interface Machine {
  readonly vmId: string;
  recipes: Readonly<Record<string, DiskRecipe>>;
  versions: Version[];
}

export const COLLECT: Operation = { kind: 'collect', pointId: null };

/** Points are only deleted while there are more. */
const KEPT_POINTS = 1;

export interface WorldOptions {
  readonly machines: number;
  readonly maxDiskBytes: number;
}

/** What a vault should hold, and what is done with it next. */
export class World {
  readonly points = new Map<string, KnownPoint>();
  readonly #random: Random;
  readonly #machines: Machine[];
  readonly #maxDiskBytes: number;

  constructor(random: Random, { machines, maxDiskBytes }: WorldOptions) {
    this.#random = random;
    this.#maxDiskBytes = maxDiskBytes;
    this.#machines = Array.from({ length: machines }, (_, i) => ({
      vmId: `vm-${i}`,
      recipes: Object.fromEntries(
        Array.from({ length: 1 + random.int(2) }, (_, disk) => [`disk-${disk}`, newDisk(random, maxDiskBytes)]),
      ),
      versions: [],
    }));
  }

  next(): Operation {
    const committed = this.#inState('committed');
    if (committed.length > 0 && this.#random.chance(0.12)) {
      const [sessionId, neverPointId] = [this.#random.uuid(), this.#random.uuid()];
      return { kind: 'restore', sessionId, neverPointId, pointId: this.#random.pick(committed) };
    }
    if (this.#inState('gone').length > 0 && this.#random.chance(0.3)) {
      return COLLECT;
    }
    return committed.length > KEPT_POINTS && this.#random.chance(0.3) ? this.#delete(committed) : this.backUp();
  }

  backUp(): BackupOperation {
    const random = this.#random;
    const machine = random.pick(this.#machines);
    const known = Object.entries(machine.recipes).map(([diskKey, recipe]) => ({
      diskKey,
      ...changeDisk(recipe, random, this.#maxDiskBytes),
    }));
    machine.recipes = Object.fromEntries(known.map(({ diskKey, recipe }) => [diskKey, recipe]));
    const version: Version = {
      pointId: random.uuid(),
      changed: Object.fromEntries(known.map(({ diskKey, changed }) => [diskKey, changed])),
    };
    machine.versions.push(version);
    const base = this.#base(machine);
    const since = machine.versions.slice(base + 1);
    const disks: Record<string, DiskToBackUp> = {};
    for (const { diskKey, recipe } of known) {
      disks[diskKey] = { recipe, changed: since.flatMap(({ changed }) => changed[diskKey] ?? []) };
    }
    const bytes = known.reduce((sum, { recipe }) => sum + recipe.sizeBytes, 0);
    const digests = Object.fromEntries(known.map(({ diskKey, recipe }) => [diskKey, sha256(renderDisk(recipe))]));
    this.points.set(version.pointId, { state: 'begun', vmId: machine.vmId, bytes, digests });
    return {
      kind: 'backup',
      sessionId: random.uuid(),
      pointId: version.pointId,
      vmId: machine.vmId,
      basePointId: machine.versions[base]?.pointId ?? null,
      unchangedFrom: random.chance(0.5) ? 'source' : 'vault',
      disks,
    };
  }

  #delete(committed: readonly string[]): Operation {
    const pointId = this.#random.pick(committed);
    this.#point(pointId).state = 'going';
    return { kind: 'delete', pointId };
  }

  /** The process has said that it is done. */
  done(operation: Operation, digests?: Readonly<Record<string, string>>): void {
    if (operation.kind === 'collect') {
      return;
    }
    const point = this.#point(operation.pointId);
    if (operation.kind === 'backup') {
      point.state = 'committed';
    } else if (operation.kind === 'delete') {
      point.state = 'gone';
    } else if (operation.kind === 'abandon') {
      point.state = point.state === 'committed' ? 'committed' : 'gone';
    } else if (JSON.stringify(digests) !== JSON.stringify(point.digests)) {
      throw new Error(`Restore point ${operation.pointId} was restored with other bytes than it was made of.`);
    }
  }

  /** A collection took the writer for dead: its point never comes. */
  fenced(pointId: string): void {
    const point = this.#point(pointId);
    if (point.state === 'committed') {
      throw new Error(`Restore point ${pointId} is committed, and its writer was told that it was fenced.`);
    }
    point.state = 'gone';
  }

  /** Of all restore points that are there, as they are restored. */
  diskBytes(): number {
    const points = [...this.points.values()].filter(({ state }) => state === 'committed');
    return points.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** What is in the vault now that somebody looked: from here on it must stay so. */
  saw(listed: ReadonlySet<string>): void {
    for (const [pointId, point] of this.points) {
      if (point.state === 'begun' && listed.has(pointId)) {
        point.state = 'committed';
      } else if (point.state === 'going' && !listed.has(pointId)) {
        point.state = 'gone';
      }
    }
  }

  /** The newest version before the last whose point is there, mostly; -1 for a full backup. */
  #base({ versions }: Machine): number {
    if (this.#random.chance(0.15)) {
      return -1;
    }
    const older = versions.slice(0, -1).map(({ pointId }) => this.points.get(pointId)?.state === 'committed');
    const last = older.lastIndexOf(true);
    const before = last > 0 && this.#random.chance(0.2) ? older.lastIndexOf(true, last - 1) : -1;
    return before >= 0 ? before : last;
  }

  #inState(state: PointState): string[] {
    return [...this.points].filter(([, point]) => point.state === state).map(([pointId]) => pointId);
  }

  #point(pointId: string): KnownPoint {
    const point = this.points.get(pointId);
    if (point === undefined) {
      throw new RangeError(`no restore point ${pointId} in this world`);
    }
    return point;
  }
}

export const SMALL_WORLD: WorldOptions = { machines: 2, maxDiskBytes: 700 * KIB };
