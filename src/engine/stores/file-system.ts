import { errnoOf } from '../../kernel/errors.ts';
import { constants } from 'node:fs';
import * as systemCalls from 'node:fs/promises';

/** An open file, or a directory that is opened to be synchronised. */
export interface OpenFile {
  write(data: Uint8Array, at: number, length: number): Promise<{ readonly bytesWritten: number }>;
  read(into: Uint8Array, at: number, length: number, position: number): Promise<{ readonly bytesRead: number }>;
  stat(): Promise<{ readonly size: number; isFile(): boolean }>;
  datasync(): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface FileFacts {
  readonly size: number;
  readonly mtimeMs: number;
  /** Whether two names are one file; a test's file system may leave it out. */
  readonly ino?: number;
  isFile(): boolean;
}

/** Of a name itself: a link is not followed. */
export interface NameFacts extends FileFacts {
  isSymbolicLink(): boolean;
}

export interface FolderEntry {
  readonly name: string;
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
}

/**
 * The system calls that a directory store makes, as `node:fs/promises` has them, so that a test can stand between: end a
 * process at any of them, or work out what a power cut may leave. Whoever needs another call adds it here.
 */
export interface FileSystem {
  open(path: string, flags: string, mode?: number): Promise<OpenFile>;
  /** To read a file that others may have put there: refuses a link (ELOOP), and waits for no pipe's writer. */
  openObject(path: string): Promise<OpenFile>;
  /** A new file that is written past the page cache: from and to whole pages. Absent where there is no such thing. */
  readonly createDirect?: (path: string, mode: number) => Promise<OpenFile>;
  link(existing: string, name: string): Promise<void>;
  unlink(path: string): Promise<void>;
  mkdir(path: string, options: { readonly recursive: boolean; readonly mode: number }): Promise<string | undefined>;
  stat(path: string): Promise<FileFacts>;
  lstat(path: string): Promise<NameFacts>;
  readdir(path: string): Promise<string[]>;
  opendir(path: string): Promise<AsyncIterable<FolderEntry>>;
  /** The file system's blocks, and those that are free for whoever asks. A test's file system may leave it out. */
  readonly statfs?: (
    path: string,
  ) => Promise<{ readonly bsize: number; readonly blocks: number; readonly bavail: number }>;
}

const { O_CREAT, O_DIRECT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;

export const SYSTEM_FILES: FileSystem = {
  ...systemCalls,
  openObject: async (path) => {
    try {
      return await systemCalls.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    } catch (error) {
      // Somebody has a lease on the file, and gives it up to who waits.
      if (errnoOf(error) !== 'EAGAIN' || !(await systemCalls.lstat(path)).isFile()) {
        throw error;
      }
      return await systemCalls.open(path, O_RDONLY | O_NOFOLLOW);
    }
  },
  // Not on every system, whatever the types say.
  ...(Number.isInteger(O_DIRECT)
    ? { createDirect: (path, mode) => systemCalls.open(path, O_WRONLY | O_CREAT | O_EXCL | O_DIRECT, mode) }
    : {}),
};
