import { setTimeout as delay } from 'node:timers/promises';
import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { ReconcilerService } from './reconciler.service.ts';

/** From configuration. */
export class ReconcilerSettings {
  constructor(readonly everyMs: number) {}
}

const ENDED_WITHIN_ROUNDS = 20;
const log = new Logger('Reconciler');

/** Runs the reconciler for as long as the process lives. */
@Injectable()
export class ReconcilerLoop implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(
    private readonly reconciler: ReconcilerService,
    private readonly settings: ReconcilerSettings,
  ) {}

  onApplicationBootstrap(): void {
    this.#running = this.#run();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { everyMs } = this.settings;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await delay(everyMs, undefined, { signal }).catch(() => {
        // Asked to stop; the loop sees it.
      });
      if (!signal.aborted) {
        await this.#round(everyMs);
      }
    }
  }

  async #round(everyMs: number): Promise<void> {
    try {
      await this.reconciler.reconcile({ idleMs: everyMs, endedWithinMs: everyMs * ENDED_WITHIN_ROUNDS });
    } catch (error) {
      log.warn({ err: error }); // the database is away; the next round tries again
    }
  }
}
