import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { FromChild, ToChild } from './child.ts';
import type { KillAt } from './killing-files.ts';
import type { Operation } from './operation.ts';
import type { Place } from './place.ts';

const PROGRAM = fileURLToPath(new URL('./child.ts', import.meta.url));

export type Answer = Exclude<FromChild, { type: 'started' | 'opened' }> | { readonly type: 'killed' };

/** A process that works on a vault, and is killed while it does. */
export class Victim {
  readonly #child: ChildProcess;
  readonly #started: Promise<unknown>;

  constructor() {
    this.#child = fork(PROGRAM, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], execArgv: [] });
    this.#started = this.#next();
    this.#started.catch(() => undefined); // told to whoever waits for it in `open`
  }

  async open(place: Place): Promise<void> {
    await this.#started;
    const answer = await this.#ask({ type: 'open', place });
    if (answer.type !== 'opened') {
      throw new Error(`A process could not open the vault: ${JSON.stringify(answer)}`);
    }
  }

  /** `killAfterMs` counts from now; the process may be done before. */
  async perform(operation: Operation, kill: { readonly at?: KillAt; readonly afterMs?: number }): Promise<Answer> {
    const timer = kill.afterMs === undefined ? undefined : setTimeout(() => this.#child.kill('SIGKILL'), kill.afterMs);
    try {
      return (await this.#ask({ type: 'perform', operation, killAt: kill.at ?? null })) as Answer;
    } finally {
      clearTimeout(timer);
    }
  }

  async end(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exited = once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
      await exited;
    }
  }

  async #ask(message: ToChild): Promise<FromChild | { readonly type: 'killed' }> {
    if (this.#child.signalCode !== null || !this.#child.connected) {
      return { type: 'killed' };
    }
    const answer = this.#next();
    this.#child.send(message, () => undefined); // a process that was killed meanwhile is told by its exit
    return answer;
  }

  #next(): Promise<FromChild | { readonly type: 'killed' }> {
    return new Promise((resolve, reject) => {
      const heard = (message: FromChild): void => {
        this.#child.off('exit', exited);
        resolve(message);
      };
      const exited = (code: number | null, signal: NodeJS.Signals | null): void => {
        this.#child.off('message', heard);
        if (signal === 'SIGKILL') {
          resolve({ type: 'killed' });
        } else {
          reject(new Error(`A process ended by itself: ${signal ?? `exit code ${code}`}.`));
        }
      };
      this.#child.once('message', heard);
      this.#child.once('exit', exited);
    });
  }
}
