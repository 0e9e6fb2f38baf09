import { dirname } from 'node:path';
import type { Store } from '../../src/engine/index.ts';
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
    breakStore: (store) => flushingAfter(store, (last) => !/^(data|meta|index)\//.test(last)),
  },
  'a restore point is not flushed': {
    breakStore: (store) => flushingAfter(store, (last) => !last.startsWith('points/')),
  },
};

function withOpened(files: FileSystem, change: (file: OpenFile, path: string) => OpenFile): FileSystem {
  return { ...bound(files), open: async (path, flags, mode) => change(await files.open(path, flags, mode), path) };
}

function bound(files: FileSystem): FileSystem {
  return {
    open: (...args) => files.open(...args),
    link: (...args) => files.link(...args),
    unlink: (...args) => files.unlink(...args),
    mkdir: (...args) => files.mkdir(...args),
    stat: (...args) => files.stat(...args),
    readdir: (...args) => files.readdir(...args),
    opendir: (...args) => files.opendir(...args),
  };
}

/** A store that flushes only where `wanted` says so of the object that was put last. */
function flushingAfter(store: Store, wanted: (last: string) => boolean): Store {
  let last = '';
  return {
    description: store.description,
    putIfAbsent: (name, ...rest) => {
      last = name;
      return store.putIfAbsent(name, ...rest);
    },
    flush: async () => {
      if (wanted(last)) {
        await store.flush();
      }
    },
    get: (...args) => store.get(...args),
    getRange: (...args) => store.getRange(...args),
    head: (name) => store.head(name),
    list: (prefix) => store.list(prefix),
    delete: (name) => store.delete(name),
  };
}
