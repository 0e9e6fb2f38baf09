import { storageError } from '../xapi-error.ts';
import { Bitmap } from './bitmap.ts';
import { BLOCK } from './block.ts';

interface Log {
  readonly changed: Bitmap;
  sizeBytes: number;
  parent: string | undefined;
  child: string | undefined;
}

/**
 * Changed-block tracking of one storage repository: a log per disk, chained from the older to the younger.
 * A snapshot's log says what changed between the snapshot before it and itself.
 */
export class ChangedBlocks {
  readonly #logs = new Map<string, Log>();

  has(disk: string): boolean {
    return this.#logs.has(disk);
  }

  enable(disk: string, sizeBytes: number): void {
    if (!this.has(disk)) {
      this.#logs.set(disk, { changed: new Bitmap(), sizeBytes, parent: undefined, child: undefined });
    }
  }

  record(disk: string, firstBlock: number, lastBlock: number): void {
    const log = this.#logs.get(disk);
    if (log === undefined) {
      return;
    }
    for (let block = firstBlock; block <= lastBlock; block += 1) {
      log.changed.add(block);
    }
  }

  /** The snapshot takes over the disk's log; the disk goes on with an empty one. */
  snapshot(disk: string, snapshot: string): void {
    const log = this.#logs.get(disk);
    if (log === undefined) {
      return;
    }
    const parent = log.parent === undefined ? undefined : this.#logs.get(log.parent);
    if (parent !== undefined) {
      parent.child = snapshot;
    }
    this.#logs.set(snapshot, { ...log, child: disk });
    this.#logs.set(disk, { changed: new Bitmap(), sizeBytes: log.sizeBytes, parent: snapshot, child: undefined });
  }

  resize(disk: string, sizeBytes: number): void {
    const log = this.#logs.get(disk);
    if (log !== undefined) {
      log.sizeBytes = sizeBytes;
    }
  }

  /** Takes a log out of its chain; what it recorded moves on to its child. */
  remove(disk: string): void {
    const log = this.#logs.get(disk);
    if (log === undefined) {
      return;
    }
    const parent = log.parent === undefined ? undefined : this.#logs.get(log.parent);
    const child = log.child === undefined ? undefined : this.#logs.get(log.child);
    if (parent !== undefined) {
      parent.child = log.child;
    }
    if (child !== undefined) {
      child.parent = log.parent;
      child.changed.addAll(log.changed);
    }
    this.#logs.delete(disk);
  }

  /** One bit per 64 KiB block of `to`, block 0 first and most significant: what changed after `from`. */
  between(from: string, to: string): Buffer {
    const target = this.#logs.get(to);
    if (target === undefined || !this.has(from) || from === to) {
      throw unrelated();
    }
    const changed = new Bitmap();
    let current = this.#logs.get(from)?.child;
    while (current !== undefined) {
      const log = this.#logs.get(current);
      if (log === undefined) {
        throw unrelated();
      }
      changed.addAll(log.changed);
      if (current === to) {
        return changed.toBytes(Math.ceil(target.sizeBytes / BLOCK));
      }
      current = log.child;
    }
    throw unrelated();
  }
}

function unrelated(): Error {
  return storageError(
    460,
    'Failed to calculate changed blocks for given VDIs. [opterr=Source and target VDI are unrelated]',
  );
}
