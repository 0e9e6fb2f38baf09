import { isAppError } from '../../src/kernel/errors.ts';
import { DirectoryStore, type Repository, type Store } from '../../src/engine/index.ts';
import type { FileSystem } from '../../src/engine/stores/file-system.ts';
import { ModelDisk, type Change } from './model-disk.ts';
import { MODEL_ROOT, ModelFiles } from './model-files.ts';
import { perform, type Operation } from './operation.ts';
import type { Random } from './random.ts';
import { COLLECT, World, type KnownPoint, type WorldOptions } from './world.ts';

/** What was promised from here on, while the disk changed. */
export interface Moment {
  readonly change: Change | null;
  readonly points: ReadonlyMap<string, Readonly<KnownPoint>>;
  readonly doing: string;
  readonly operation: Operation | null;
}

export interface LifeOptions {
  readonly operations: number;
  readonly world: WorldOptions;
  /** Stands between the store and the model, to break the store on purpose. */
  readonly breakFiles?: (files: FileSystem) => FileSystem;
  readonly breakStore?: (store: Store) => Store;
}

export type OpenStore = (store: Store) => Promise<Repository>;

/** Everything that a vault on a model disk goes through: each operation by a process of its own, some of which die. */
export async function live(
  random: Random,
  create: (store: Store) => Promise<void>,
  open: OpenStore,
  options: LifeOptions,
): Promise<readonly Moment[]> {
  const life = new Life(random, open, options);
  await create(life.sturdyStore());
  for (let i = 0; i < options.operations; i += 1) {
    await life.live(life.world.next());
  }
  return life.moments;
}

class Life {
  readonly moments: Moment[] = [];
  readonly world: World;
  readonly #random: Random;
  readonly #open: OpenStore;
  readonly #options: LifeOptions;
  readonly #disk = new ModelDisk();
  #points: Moment['points'] = new Map();
  #doing = 'create';
  #operation: Operation | null = null;
  #usual = 40;

  constructor(random: Random, open: OpenStore, options: LifeOptions) {
    this.world = new World(random, options.world);
    this.#random = random;
    this.#open = open;
    this.#options = options;
  }

  /** One that nobody breaks. */
  sturdyStore(): Store {
    return new DirectoryStore(MODEL_ROOT, new ModelFiles(this.#disk, (change) => this.#note(change)));
  }

  async live(operation: Operation): Promise<void> {
    let collected = false;
    for (let attempt = 0; ; attempt += 1) {
      const dies = attempt < 2 && this.#random.chance(0.4);
      if (await this.#attempt(operation, { attempt, dies, collected })) {
        return;
      }
      if (operation.kind === 'backup' && this.#random.chance(0.3)) {
        const { sessionId, pointId } = operation;
        await this.live({ kind: 'abandon', sessionId, pointId });
        return;
      }
      if (operation.kind === 'backup' && this.#random.chance(0.2)) {
        await this.live(COLLECT);
        collected = true;
      }
    }
  }

  /** False when the process died before it was done. */
  async #attempt(
    operation: Operation,
    { attempt, dies, collected }: { readonly attempt: number; readonly dies: boolean; readonly collected: boolean },
  ): Promise<boolean> {
    this.#operation = operation;
    this.#doing = `${operation.kind} ${operation.pointId}, attempt ${attempt}`;
    this.#promise();
    const dieAt = dies ? 1 + this.#random.int(this.#usual) : Infinity;
    const files = new ModelFiles(this.#disk, (change) => this.#note(change), dieAt);
    try {
      await using repository = await this.#open(this.#storeOn(files));
      const { digests } = await perform(repository, operation);
      if (operation.kind === 'abandon') {
        // Its end has decided, for good, whether the point is there.
        this.world.saw(await listed(repository));
      }
      this.world.done(operation, digests);
    } catch (error) {
      if (isAppError(error, 'VAULT_UNREACHABLE')) {
        return false;
      }
      if (!collected || operation.kind !== 'backup' || !isAppError(error, 'SESSION_FENCED')) {
        throw error;
      }
      this.world.fenced(operation.pointId);
    }
    this.#usual = Math.max(10, files.changes);
    this.#promise();
    return true;
  }

  #storeOn(files: FileSystem): Store {
    const { breakFiles = (same) => same, breakStore = (same) => same } = this.#options;
    return breakStore(new DirectoryStore(MODEL_ROOT, breakFiles(files)));
  }

  #note(change: Change): void {
    this.moments.push({ change, points: this.#points, doing: this.#doing, operation: this.#operation });
  }

  #promise(): void {
    this.#points = new Map([...this.world.points].map(([pointId, point]) => [pointId, { ...point }]));
    this.moments.push({ change: null, points: this.#points, doing: this.#doing, operation: this.#operation });
  }
}

async function listed(repository: Repository): Promise<Set<string>> {
  const points = new Set<string>();
  for await (const { pointId } of repository.listPoints()) {
    points.add(pointId);
  }
  return points;
}
