import { AppError } from '../../kernel/errors.ts';
import type { Store } from '../ports/store.ts';
import { DelegatingStore } from '../stores/delegating-store.ts';

/** A disk with sectors that can't be read. */
export class BadSectors extends DelegatingStore {
  /** Names, and where in the object. */
  readonly at = new Map<string, number>();
  readonly #errno: string;

  /** `errno`: another one than a disk's is of a store that is away. */
  constructor(inner: Store, errno = 'EIO') {
    super(inner);
    this.#errno = errno;
  }

  override async get(...read: Parameters<Store['get']>): Promise<Uint8Array> {
    this.#requireGood(read[0], 0, Infinity);
    return super.get(...read);
  }

  override async getRange(...read: Parameters<Store['getRange']>): Promise<void> {
    const [name, offset, into] = read;
    this.#requireGood(name, offset, into.length);
    await super.getRange(...read);
  }

  #requireGood(name: string, offset: number, length: number): void {
    const bad = this.at.get(name) ?? Infinity;
    if (offset <= bad && bad < offset + length) {
      const errno = this.#errno;
      throw new AppError('VAULT_UNREACHABLE', `Could not read ${name}: ${errno}.`, { data: { errno, object: name } });
    }
  }
}
