import { dirname } from 'node:path';
import type { Store } from '../../src/engine/index.ts';
import { DelegatingStore } from '../../src/engine/stores/delegating-store.ts';
import type { FileSystem, OpenFile } from '../../src/engine/stores/file-system.ts';
import type { LifeOptions } from './life.ts';

type Break = Pick<LifeOptions, 'breakFiles' | 'breakStore'>;

/** What a store, or who uses it, could do wrong about durability. Each must be found, or nothing that finds nothing counts. */
export const BROKEN: Readonly<Record<string, Break>> = {
  'a file is not synchronised before it gets its name': {
    breakFiles: (files) => withOpened(files, (file) => ({ ...file, datasync: async () => {} })),
  },
  'folders are not synchronised': {
    breakFiles: (files) => withOpened(files, (file) => ({ ...file, sync: async () => {} })),
  },
  'only the folder of a new name is synchronised, and not those above it': {
    breakFiles: (files) =>
      withOpened(files, (file, path) => (path.split('/').length > 2 ? file : { ...file, sync: async () => {} })),
  },
  'folders are synchronised by who put a name there, and not by who found it': {
    breakFiles: (files) => {
      const own = new Set<string>();
      return {
        ...withOpened(files, (file, path) => (own.has(path) ? file : { ...file, sync: async () => {} })),
        link: async (existing, name) => {
          await files.link(existing, name);
          for (let at = dirname(name); !own.has(at); at = dirname(at)) {
            own.add(at);
          }
        },
      };
    },
  },
  'a file takes the place of another of its name': {
    breakFiles: (files) => ({
      ...bound(files),
      link: async (existing, name) => {
        await files.unlink(name).catch(() => undefined); // mostly there is none
        await files.link(existing, name);
      },
    }),
  },
  'a restore point is put before what it names is flushed': {
    breakStore: (store) => new SelectivelyFlushingStore(store, (last) => !/^(data|meta|index)\//.test(last)),
  },
  'a restore point is not flushed': {
    breakStore: (store) => new SelectivelyFlushingStore(store, (last) => !last.startsWith('points/')),
  },
};

function withOpened(files: FileSystem, change: (file: OpenFile, path: string) => OpenFile): FileSystem {
  return { ...bound(files), open: async (path, flags, mode) => change(await files.open(path, flags, mode), path) };
}

function bound(files: FileSystem): FileSystem {
  return {
    open: (...args) => files.open(...args),
    openObject: (...args) => files.openObject(...args),
    link: (...args) => files.link(...args),
    unlink: (...args) => files.unlink(...args),
    mkdir: (...args) => files.mkdir(...args),
    stat: (...args) => files.stat(...args),
    lstat: (...args) => files.lstat(...args),
    readdir: (...args) => files.readdir(...args),
    opendir: (...args) => files.opendir(...args),
  };
}

/** A store that flushes only where `wanted` says so of the object that was put last. */
class SelectivelyFlushingStore extends DelegatingStore {
  readonly #wanted: (last: string) => boolean;
  #last = '';

  constructor(inner: Store, wanted: (last: string) => boolean) {
    super(inner);
    this.#wanted = wanted;
  }

  override putIfAbsent(...put: Parameters<Store['putIfAbsent']>): Promise<'created' | 'exists'> {
    [this.#last] = put;
    return super.putIfAbsent(...put);
  }

  override async flush(): Promise<void> {
    if (this.#wanted(this.#last)) {
      await super.flush();
    }
  }
}
