import * as systemCalls from 'node:fs/promises';
import { SYSTEM_FILES, type FileSystem, type OpenFile } from '../../src/engine/stores/file-system.ts';

/** Where in the sequence of changes to the file system a process ends, counted from 1. */
export interface KillAt {
  readonly change: number;
  /** A write is torn: half of it arrives. Other changes are made or not. */
  readonly when: 'before' | 'after';
}

/** The real file system, at one change of which the process is killed. */
export class KillingFiles {
  #changes = 0;
  #killAt: KillAt | null = null;

  /** Changes since `arm`. */
  get changes(): number {
    return this.#changes;
  }

  arm(killAt: KillAt | null): void {
    this.#changes = 0;
    this.#killAt = killAt;
  }

  readonly files: FileSystem = {
    ...systemCalls,
    openObject: async (path) => this.#watched(await SYSTEM_FILES.openObject(path)),
    link: (existing, name) => this.#change(() => systemCalls.link(existing, name)),
    unlink: (path) => this.#change(() => systemCalls.unlink(path)),
    mkdir: (path, options) => this.#change(() => systemCalls.mkdir(path, options)),
    open: async (path, flags, mode) => {
      const open = (): Promise<OpenFile> => systemCalls.open(path, flags, mode);
      return this.#watched(flags === 'r' ? await open() : await this.#change(open));
    },
  };

  #watched(file: OpenFile): OpenFile {
    return {
      read: (into, at, length, position) => file.read(into, at, length, position),
      stat: () => file.stat(),
      close: () => file.close(),
      datasync: () => this.#change(() => file.datasync()),
      sync: () => this.#change(() => file.sync()),
      write: (data, at, length) =>
        this.#change(
          () => file.write(data, at, length),
          async () => {
            await file.write(data, at, Math.floor(length / 2));
          },
        ),
    };
  }

  async #change<T>(change: () => Promise<T>, half: () => Promise<void> = async () => {}): Promise<T> {
    this.#changes += 1;
    const isNow = this.#killAt?.change === this.#changes;
    if (isNow && this.#killAt?.when === 'before') {
      await half();
      endNow();
    }
    const outcome = await change();
    if (isNow) {
      endNow();
    }
    return outcome;
  }
}

/** Nothing runs after this, in no thread. */
export function endNow(): void {
  process.kill(process.pid, 'SIGKILL');
}
