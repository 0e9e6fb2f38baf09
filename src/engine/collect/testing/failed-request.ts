import type { FileSystem, OpenFile } from '../../stores/file-system.ts';
import { DirectoryStore } from '../../stores/directory-store.ts';
import { toS3StoreError } from '../../stores/s3-errors.ts';
import type { Store } from '../../ports/store.ts';

/** What is asked of a store; `range`: a piece of an object. */
export type StoreRequest = 'put' | 'delete' | 'get' | 'range' | 'head' | 'list' | 'flush';

/** One way in which a store answers a request with an error. */
export type Fault =
  | { readonly errno: string }
  /** What S3 says, with this status; null: there was no answer, and `reason` is the connection's errno. */
  | { readonly reason: string; readonly status: number | null };

/** The error that the store itself throws then, so that no test believes in one that no store has. `name`: or the prefix. */
export async function failedRequest(fault: Fault, request: StoreRequest, name: string): Promise<unknown> {
  if ('reason' in fault) {
    const action = request === 'put' || request === 'delete' ? 'write' : 'read';
    const attempts = fault.status === 403 ? 1 : 8;
    return toS3StoreError(answerOf(fault), { what: `${request} ${name}`, action, place: 'model', attempts });
  }
  const files = { ...QUIET, [FAILING_CALL[request]]: () => Promise.reject(systemError(fault.errno)) };
  const store = new DirectoryStore('/model', files);
  try {
    await ASK[request](store, name);
  } catch (error) {
    return error;
  }
  throw new Error(`${request} ${name} does not fail of ${fault.errno}`);
}

function answerOf({ reason, status }: { readonly reason: string; readonly status: number | null }): Error {
  return status === null
    ? systemError(reason)
    : Object.assign(new Error(reason), { name: reason, $metadata: { httpStatusCode: status } });
}

function systemError(errno: string): Error {
  return Object.assign(new Error(errno), { code: errno });
}

const FAILING_CALL: Readonly<Record<StoreRequest, keyof FileSystem>> = {
  put: 'link',
  delete: 'unlink',
  get: 'openObject',
  range: 'openObject',
  head: 'lstat',
  list: 'opendir',
  flush: 'open',
};

const ASK: Readonly<Record<StoreRequest, (store: Store, name: string) => Promise<unknown>>> = {
  put: (store, name) => store.putIfAbsent(name, []),
  delete: (store, name) => store.delete(name),
  get: (store, name) => store.get(name),
  range: (store, name) => store.getRange(name, 0, new Uint8Array(1)),
  head: (store, name) => store.head(name),
  list: async (store, prefix) => {
    for await (const found of store.list(prefix)) {
      throw new Error(`${found.name} was found where nothing is`);
    }
  },
  flush: async (store) => {
    // What has no new names has nothing to make durable.
    await store.delete('some/name');
    await store.flush();
  },
};

const FOLDER = { size: 0, mtimeMs: 0, isFile: () => false, isSymbolicLink: () => false };

const QUIET_FILE: OpenFile = {
  write: async (_, __, length) => ({ bytesWritten: length }),
  read: async (_, __, length) => ({ bytesRead: length }),
  stat: async () => ({ size: 0, isFile: () => true }),
  datasync: async () => {},
  sync: async () => {},
  close: async () => {},
};

/** A file system that does nothing, and says that all went well. */
const QUIET: FileSystem = {
  open: async () => QUIET_FILE,
  openObject: async () => QUIET_FILE,
  link: async () => {},
  unlink: async () => {},
  mkdir: async () => undefined,
  stat: async () => FOLDER,
  lstat: async () => FOLDER,
  readdir: async () => [],
  opendir: async () => noEntries(),
};

async function* noEntries(): AsyncGenerator<never> {}
