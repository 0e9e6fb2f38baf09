import { AppError } from '../../kernel/errors.ts';
import type { GetOptions, Store, StoredObject } from '../ports/store.ts';
import { requireSize } from '../stores/size-limit.ts';

/** Objects in memory, for tests that ask for many operations. `objects` may be read and damaged. */
export class MemoryStore implements Store {
  readonly description = 'memory';
  readonly objects = new Map<string, Uint8Array>();

  async putIfAbsent(name: string, parts: readonly Uint8Array[]): Promise<'created' | 'exists'> {
    if (this.objects.has(name)) {
      return 'exists';
    }
    this.objects.set(name, new Uint8Array(Buffer.concat(parts)));
    return 'created';
  }

  async get(name: string, { maxBytes }: GetOptions = {}): Promise<Uint8Array> {
    const data = this.#find(name);
    requireSize(name, data.length, maxBytes);
    return data.slice();
  }

  async getRange(name: string, offset: number, into: Uint8Array): Promise<void> {
    const data = this.#find(name);
    if (offset + into.length > data.length) {
      throw new AppError('VAULT_CORRUPT', `${name} ends before byte ${offset + into.length}.`, {
        data: { object: name },
      });
    }
    into.set(data.subarray(offset, offset + into.length));
  }

  async head(name: string): Promise<StoredObject | null> {
    const data = this.objects.get(name);
    return data === undefined ? null : { name, sizeBytes: data.length };
  }

  async *list(prefix: string): AsyncIterable<StoredObject> {
    for (const [name, data] of Array.from(this.objects)) {
      if (name.startsWith(prefix)) {
        yield { name, sizeBytes: data.length };
      }
    }
  }

  async delete(name: string): Promise<void> {
    this.objects.delete(name);
  }

  async flush(): Promise<void> {}

  #find(name: string): Uint8Array {
    const data = this.objects.get(name);
    if (data === undefined) {
      throw new AppError('VAULT_OBJECT_MISSING', `${name} is not in memory.`, { data: { object: name } });
    }
    return data;
  }
}
