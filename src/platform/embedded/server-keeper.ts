import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { AppError } from '../../kernel/errors.ts';
import { siblingModule } from '../../kernel/module-url.ts';
import type { ServerSpec, WatchdogCommand, WatchdogEvent } from './watchdog-protocol.ts';

/** How a server ended, in words. */
export type Ending = string;

export interface KeptServer {
  readonly pid: number;
  /** Settles when the server has ended, for whatever reason. */
  readonly ended: Promise<Ending>;
  stop(): Promise<void>;
}

interface Entry {
  readonly started: PromiseWithResolvers<number>;
  readonly ended: PromiseWithResolvers<Ending>;
  pid: number | undefined;
}

/** Runs servers through a watchdog process, so that none of them outlives this one, not even after SIGKILL. */
export class ServerKeeper {
  readonly #watchdog: ChildProcessByStdio<Writable, Readable, null>;
  readonly #gone: Promise<void>;
  readonly #servers = new Map<string, Entry>();

  constructor() {
    const { NODE_OPTIONS: _options, NODE_V8_COVERAGE: _coverage, ...env } = process.env;
    this.#watchdog = spawn(process.execPath, [siblingModule(import.meta.url, './watchdog').pathname], {
      // Its own session: Ctrl-C on a terminal reaches Holdfast, which drains first, and not the servers under it.
      detached: true,
      cwd: '/',
      env,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#gone = once(this.#watchdog, 'exit').then(() => this.#orphaned());
    this.#watchdog.stdin.on('error', () => undefined); // the exit event says it
    createInterface({ input: this.#watchdog.stdout }).on('line', (line) => this.#on(JSON.parse(line) as WatchdogEvent));
  }

  async run(spec: ServerSpec): Promise<KeptServer> {
    const entry: Entry = { started: Promise.withResolvers(), ended: Promise.withResolvers(), pid: undefined };
    this.#servers.set(spec.id, entry);
    this.#send({ do: 'run', spec });
    const pid = await entry.started.promise;
    return {
      pid,
      ended: entry.ended.promise,
      stop: async () => {
        if (this.#servers.get(spec.id) === entry) {
          this.#send({ do: 'stop', id: spec.id });
        }
        await entry.ended.promise;
      },
    };
  }

  /** The watchdog removes this path after all servers have ended. */
  removeAtEnd(path: string): void {
    this.#send({ do: 'remove-at-end', path });
  }

  /** Ends every server; resolves when they and the watchdog are gone. */
  async close(): Promise<void> {
    this.#watchdog.stdin.end();
    await this.#gone;
  }

  #send(command: WatchdogCommand): void {
    this.#watchdog.stdin.write(`${JSON.stringify(command)}\n`);
  }

  #on(event: WatchdogEvent): void {
    const entry = this.#servers.get(event.id);
    if (entry === undefined) {
      return;
    }
    if (event.event === 'started') {
      entry.pid = event.pid;
      entry.started.resolve(event.pid);
    } else if (event.event === 'failed') {
      this.#servers.delete(event.id);
      entry.started.reject(
        new AppError('ENGINE_SERVER_MISSING', `${event.id} could not be started: ${event.message}.`),
      );
    } else {
      this.#servers.delete(event.id);
      entry.ended.resolve(event.signal === null ? `exit code ${event.code}` : `signal ${event.signal}`);
    }
  }

  /** The watchdog itself was killed: what it kept has nobody left but us. */
  #orphaned(): void {
    for (const [id, entry] of this.#servers) {
      if (entry.pid !== undefined) {
        killQuietly(entry.pid);
      }
      entry.started.reject(new AppError('INTERNAL', `The watchdog ended before ${id} was started.`));
      entry.started.promise.catch(() => undefined); // nobody may be waiting for it any more
      entry.ended.resolve('end of its watchdog');
    }
    this.#servers.clear();
  }
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM');
  } catch {
    // it has ended already
  }
}
