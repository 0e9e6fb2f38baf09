import { once } from 'node:events';
import type { Store } from '../../src/engine/index.ts';
import { makeContent } from '../../src/engine/collect/testing/model-vault.ts';
import { backup, MemoryDisk } from '../../src/engine/testing/test-vault.ts';
import { openAt, storeAt, type Place } from './place.ts';

/** What a process does that is to be stopped: it says when it is there, and waits to be told to go on. */
export interface StoppableJob {
  readonly place: Place;
  readonly work:
    | { readonly kind: 'collect' }
    | { readonly kind: 'backup'; readonly sessionId: string; readonly pointId: string; readonly numbers: number[] };
  /** Before which request to the store, counted from 1. */
  readonly hold: { readonly request: 'put' | 'delete'; readonly prefix: string; readonly count: number };
}

/** `ended`: the code of the error that it ended with, null if it did what it was to do. */
export type FromStoppable = { readonly type: 'reached' } | { readonly type: 'ended'; readonly code: string | null };

function say(message: FromStoppable): void {
  process.send?.(message);
}

function holdAt(store: Store, { request, prefix, count }: StoppableJob['hold']): Store {
  let left = count;
  const pass = async (what: string, name: string): Promise<void> => {
    left -= what === request && name.startsWith(prefix) ? 1 : 0;
    if (left === 0) {
      left = -1;
      say({ type: 'reached' });
      await once(process, 'message');
    }
  };
  return {
    description: store.description,
    get: (name, options) => store.get(name, options),
    getRange: (name, offset, into, signal) => store.getRange(name, offset, into, signal),
    head: (name) => store.head(name),
    list: (each) => store.list(each),
    flush: () => store.flush(),
    putIfAbsent: async (name, parts, options) => {
      await pass('put', name);
      return store.putIfAbsent(name, parts, options);
    },
    delete: async (name) => {
      await pass('delete', name);
      await store.delete(name);
    },
  };
}

async function run({ place, work, hold }: StoppableJob): Promise<void> {
  await using repository = await openAt(place, holdAt(storeAt(place), hold));
  if (work.kind === 'collect') {
    await repository.collect({ graceMs: 0, minLiveShare: 1 });
  } else {
    await backup(repository, { ...work, disks: { xvda: new MemoryDisk(makeContent(work.numbers)) } });
  }
}

async function answer(job: StoppableJob): Promise<void> {
  let code: string | null = null;
  try {
    await run(job);
  } catch (error) {
    code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
  say({ type: 'ended', code });
  process.disconnect();
}

process.once('message', (job: StoppableJob) => void answer(job));
