import { AppError } from '../../../kernel/errors.ts';
import type { MemoryStore } from '../../testing/memory-store.ts';
import type { GetOptions, Store, StoredObject } from '../../ports/store.ts';
import { requireSize } from '../../stores/size-limit.ts';
import type { StoreRequest } from './failed-request.ts';

/** One request that somebody has sent to the store, and that the test lets happen when it wants. */
export interface Operation {
  readonly actor: number;
  readonly request: StoreRequest;
  /** Of the object; a list's prefix, and nothing for a flush. */
  readonly name: string;
  readonly label: string;
  /** Changes the store; a copy of it may arrive late, without anybody who waits for the answer. */
  readonly change: (() => void) | null;
  readonly happen: () => void;
  readonly fail: (error: unknown) => void;
}

/** Told of every change, at the moment at which it happens. */
export type OnChange = (actor: number, kind: 'put' | 'delete', name: string) => void;

/** The store as one process sees it: nothing happens before the test says so. A list is seen in two halves. */
export class ScheduledStore implements Store {
  readonly description = 'scheduled';
  readonly #inner: MemoryStore;
  readonly #actor: number;
  readonly #send: (operation: Operation) => void;
  readonly #onChange: OnChange;

  constructor(inner: MemoryStore, actor: number, send: (operation: Operation) => void, onChange: OnChange) {
    this.#inner = inner;
    this.#actor = actor;
    this.#send = send;
    this.#onChange = onChange;
  }

  putIfAbsent(name: string, parts: readonly Uint8Array[]): Promise<'created' | 'exists'> {
    const data = new Uint8Array(Buffer.concat(parts));
    const put = (): 'created' | 'exists' => {
      if (this.#inner.objects.has(name)) {
        return 'exists';
      }
      this.#inner.objects.set(name, data);
      this.#onChange(this.#actor, 'put', name);
      return 'created';
    };
    return this.#turn(['put', name], put, { isChange: true });
  }

  async delete(name: string): Promise<void> {
    const remove = (): void => {
      if (this.#inner.objects.delete(name)) {
        this.#onChange(this.#actor, 'delete', name);
      }
    };
    await this.#turn(['delete', name], remove, { isChange: true });
  }

  get(name: string, { maxBytes }: GetOptions = {}): Promise<Uint8Array> {
    return this.#turn(['get', name], () => {
      const data = this.#find(name);
      requireSize(name, data.length, maxBytes);
      return data.slice();
    });
  }

  getRange(name: string, offset: number, into: Uint8Array): Promise<void> {
    return this.#turn(['range', name], () => {
      const data = this.#find(name);
      if (offset + into.length > data.length) {
        throw new AppError('VAULT_CORRUPT', `${name} ends too early.`, { data: { object: name } });
      }
      into.set(data.subarray(offset, offset + into.length));
    });
  }

  head(name: string): Promise<StoredObject | null> {
    return this.#turn(['head', name], () => {
      const data = this.#inner.objects.get(name);
      return data === undefined ? null : { name, sizeBytes: data.length };
    });
  }

  async *list(prefix: string): AsyncIterable<StoredObject> {
    const first = await this.#turn(['list', prefix], () => this.#names(prefix));
    const half = first[first.length >> 1]?.name ?? '';
    yield* first.filter(({ name }) => name < half);
    const rest = await this.#turn(['list', prefix], () => this.#names(prefix), { from: half });
    yield* rest.filter(({ name }) => name >= half);
  }

  flush(): Promise<void> {
    return this.#turn(['flush', ''], () => undefined);
  }

  #names(prefix: string): StoredObject[] {
    return [...this.#inner.objects]
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, data]) => ({ name, sizeBytes: data.length }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  #find(name: string): Uint8Array {
    const data = this.#inner.objects.get(name);
    if (data === undefined) {
      throw new AppError('VAULT_OBJECT_MISSING', `${name} is not there.`, { data: { object: name } });
    }
    return data;
  }

  #turn<T>(
    [request, name]: readonly [StoreRequest, string],
    work: () => T,
    { isChange = false, from }: { readonly isChange?: boolean; readonly from?: string } = {},
  ): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const happen = (): void => {
      try {
        resolve(work());
      } catch (error) {
        reject(error);
      }
    };
    const change = isChange ? (): void => void work() : null;
    const label = `${request} ${name}${from === undefined ? '' : ` from ${from}`}`.trimEnd();
    this.#send({ actor: this.#actor, request, name, label, change, happen, fail: reject });
    return promise;
  }
}
