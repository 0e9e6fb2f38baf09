/** An open file, or a directory that is opened to be synchronised. */
export interface OpenFile {
  write(data: Uint8Array, at: number, length: number): Promise<{ readonly bytesWritten: number }>;
  read(into: Uint8Array, at: number, length: number, position: number): Promise<{ readonly bytesRead: number }>;
  stat(): Promise<{ readonly size: number }>;
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

export interface FolderEntry {
  readonly name: string;
  isDirectory(): boolean;
}

/**
 * The system calls that a directory store makes, as `node:fs/promises` has them, so that a test can stand between: end a
 * process at any of them, or work out what a power cut may leave. Whoever needs another call adds it here.
 */
export interface FileSystem {
  open(path: string, flags: string, mode?: number): Promise<OpenFile>;
  link(existing: string, name: string): Promise<void>;
  unlink(path: string): Promise<void>;
  mkdir(path: string, options: { readonly recursive: boolean; readonly mode: number }): Promise<string | undefined>;
  stat(path: string): Promise<FileFacts>;
  readdir(path: string): Promise<string[]>;
  opendir(path: string): Promise<AsyncIterable<FolderEntry>>;
}
