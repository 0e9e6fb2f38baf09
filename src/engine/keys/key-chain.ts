import { randomBytes } from 'node:crypto';
import { AppError } from '../../kernel/errors.ts';
import { namesIn, readKeyFile, type KeyFiles } from './key-files.ts';
import {
  kekBase,
  kekName,
  kekVersion,
  masterBase,
  masterNumber,
  masterPrefix,
  parseWrapped,
  wrappedName,
} from './key-names.ts';
import { unwrapKey, wrapKey } from './wrap.ts';

const KEY_BYTES = 32;
/** A rotation that goes on at the same time may remove what was just listed, but each time for something newer. */
const TRIES = 5;

export interface OpenedKey {
  readonly key: Uint8Array;
  /** Of what it is wrapped with; of a master key its own number. */
  readonly version: number;
}

/** One tenant's keys, each opened with the one above it, whatever rotation is going on. */
export class KeyChain {
  readonly tenantId: string;
  readonly #files: KeyFiles;

  constructor(files: KeyFiles, tenantId: string) {
    this.#files = files;
    this.tenantId = tenantId;
  }

  /** Null if there is none, by three looks: a list may miss a file that took another's place while it was made. */
  async find(base: string): Promise<Uint8Array | null> {
    let seen = false;
    for (let attempt = 0; attempt < TRIES; attempt += 1) {
      const opened = await this.open(base);
      if (opened !== null) {
        return opened.key;
      }
      seen ||= (await this.wrappedAs(base)).length > 0;
      if (!seen && attempt === 2) {
        return null;
      }
    }
    throw new AppError('KEY_MISSING', `The key ${base} does not open: what it is wrapped with is gone.`);
  }

  /** Wrapped with the newest master key when this returns, and the same for everybody who makes it at once. */
  async findOrMake(base: string): Promise<Uint8Array> {
    for (;;) {
      const master = await this.#findOrMakeMaster();
      const found = await this.open(base);
      if (found?.version === master.version) {
        return found.key;
      }
      await this.wrap(base, master, found?.key ?? randomBytes(KEY_BYTES));
      // Who began another master key meanwhile may not have seen this one: then it is wrapped once more.
    }
  }

  /** With the newest of what it is wrapped with that is there. Null if there is none. */
  async open(base: string): Promise<OpenedKey | null> {
    let failure: unknown = null;
    for (const { name, version } of await this.wrappedAs(base)) {
      const above = await this.#above(base, version);
      const stored = above === null ? null : await readKeyFile(this.#files, name);
      try {
        if (above !== null && stored !== null) {
          return { key: unwrapKey(above, stored, label(name)), version };
        }
      } catch (error) {
        failure = error;
      }
    }
    if (failure !== null) {
      throw new AppError('KEY_MISSING', `The key ${base} does not open with the one above it.`, { cause: failure });
    }
    return null;
  }

  /** The newest that opens; its version is its number. */
  async newestMaster(): Promise<OpenedKey | null> {
    return (await this.#newestMaster())?.master ?? null;
  }

  /** Newest first. */
  async masters(): Promise<string[]> {
    const bases = (await namesIn(this.#files, masterPrefix(this.tenantId))).map((name) => parseWrapped(name)?.base);
    return [...new Set(bases.filter((base) => base !== undefined))].toSorted(
      (a, b) => masterNumber(b) - masterNumber(a),
    );
  }

  /** Versions of the key-encryption key, newest first. */
  async keks(): Promise<number[]> {
    const versions = (await namesIn(this.#files, kekBase(this.tenantId))).map(kekVersion);
    return versions.filter((version) => version !== null).toSorted((a, b) => b - a);
  }

  async wrappedAs(base: string): Promise<{ readonly name: string; readonly version: number }[]> {
    const names = (await namesIn(this.#files, base)).map(parseWrapped);
    return names
      .filter((name) => name?.base === base)
      .filter((name) => name !== null)
      .toSorted((a, b) => b.version - a.version);
  }

  /** Durable when it returns. */
  async wrap(base: string, above: OpenedKey, key: Uint8Array): Promise<void> {
    const name = wrappedName(base, above.version);
    await this.#put(name, wrapKey(above.key, key, label(name)));
  }

  /** KEY_MISSING if there is none. */
  async newestKek(): Promise<OpenedKey> {
    const [newest] = await this.keks();
    if (newest === undefined) {
      throw new AppError('KEY_MISSING', `Tenant ${this.tenantId} has no key-encryption key.`);
    }
    return this.kek(newest);
  }

  /** The key-encryption key of that version, made if it isn't there. */
  async kek(version: number): Promise<OpenedKey> {
    const name = kekName(this.tenantId, version);
    const found = await readKeyFile(this.#files, name);
    if (found !== null) {
      return { key: found, version };
    }
    await this.#put(name, randomBytes(KEY_BYTES));
    return this.kek(version);
  }

  async #findOrMakeMaster(): Promise<OpenedKey> {
    for (let attempt = 0; attempt < TRIES; attempt += 1) {
      const newest = await this.#newestMaster();
      const [kek = 0] = await this.keks();
      if (newest !== null && newest.wrappedWith >= kek) {
        return newest.master;
      }
      if (newest !== null) {
        // Whoever put that key-encryption key may remove the one before without having seen this master key.
        await this.wrap(masterBase(this.tenantId, newest.master.version), await this.kek(kek), newest.master.key);
      } else if ((await this.masters()).length === 0) {
        await this.wrap(masterBase(this.tenantId, 0), await this.kek(kek), randomBytes(KEY_BYTES));
      }
    }
    throw new AppError(
      'KEY_MISSING',
      `The master key of tenant ${this.tenantId} does not open: the key above it is gone.`,
    );
  }

  async #newestMaster(): Promise<{ readonly master: OpenedKey; readonly wrappedWith: number } | null> {
    for (const base of await this.masters()) {
      const opened = await this.open(base);
      if (opened !== null) {
        return { master: { key: opened.key, version: masterNumber(base) }, wrappedWith: opened.version };
      }
    }
    return null;
  }

  async #above(base: string, version: number): Promise<Uint8Array | null> {
    if (base.startsWith(masterPrefix(this.tenantId))) {
      return readKeyFile(this.#files, kekName(this.tenantId, version));
    }
    return (await this.open(masterBase(this.tenantId, version)))?.key ?? null;
  }

  async #put(name: string, content: Uint8Array): Promise<void> {
    await this.#files.putIfAbsent(name, [content]);
    await this.#files.flush();
  }
}

/** Authenticated with the wrapped key: which key it is, and what it is wrapped with. */
function label(name: string): string {
  return `holdfast key 1 ${name}`;
}
