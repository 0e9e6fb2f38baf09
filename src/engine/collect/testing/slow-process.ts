import type { Repository } from '../../repository.ts';
import { settle, type Actor, type World } from './model-world.ts';

/** A process that goes on when it is told, request by request. It renews its lease all the same, unless it is stopped. */
export class SlowProcess {
  readonly actor: Actor;
  readonly #world: World;
  readonly #errors: unknown[] = [];

  constructor(world: World) {
    this.#world = world;
    this.actor = world.addActor();
  }

  async begin(work: (repository: Repository) => Promise<void>): Promise<void> {
    const run = async (): Promise<void> => {
      try {
        await work(await this.#world.repositoryOf(this.actor));
      } catch (error) {
        this.#errors.push(error);
      } finally {
        this.actor.work = null;
      }
    };
    this.actor.work = run();
    await settle();
  }

  get isOver(): boolean {
    return this.actor.work === null;
  }

  /** False if it ended before it had made so many requests. */
  async step(requests: number): Promise<boolean> {
    for (let made = 0; made < requests && !this.isOver; made += 1) {
      await this.#step();
    }
    this.#requireNoFailure();
    return !this.isOver;
  }

  /** Up to the first request like this, which does not happen yet. */
  async stepTo(label: RegExp): Promise<void> {
    while (!this.isOver && !label.test(this.#next()?.label ?? '')) {
      await this.#step();
    }
    this.#requireNoFailure();
  }

  async finish(): Promise<void> {
    await this.step(Infinity);
  }

  async #step(): Promise<void> {
    const operation = this.#next();
    if (operation === undefined) {
      throw new Error('a process waits for nothing that comes');
    }
    await this.#world.happen(operation);
  }

  #next(): World['ready'][number] | undefined {
    return this.#world.ready.find(({ actor }) => actor === this.actor.id);
  }

  #requireNoFailure(): void {
    const [error] = this.#errors;
    if (error !== undefined) {
      throw error;
    }
  }
}
