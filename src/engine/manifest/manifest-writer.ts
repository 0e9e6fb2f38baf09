import { packName } from '../format/names.ts';
import type { RepositorySecrets } from '../keys/key-schedule.ts';
import type { Store } from '../ports/store.ts';
import type { ManifestPack } from './manifest-types.ts';
import { encodeDirectory, metaPackId, sealMetaPack } from './seal-meta-pack.ts';
import { encodeRecords, type SegmentRecord } from './segment-record.ts';

const TARGET_BYTES = 8 * 1024 * 1024;

export interface EncodedGroup {
  readonly group: number;
  readonly data: Buffer;
}

/**
 * Writes one layer of a manifest. Groups come in ascending order. Meta packs are named by what they hold and for whom,
 * so that a write which is repeated after an interruption finds them there.
 */
export class ManifestWriter {
  readonly #store: Store;
  readonly #secrets: RepositorySecrets;
  /** As `manifestOwner` says it. */
  readonly #owner: string;
  readonly #packs: ManifestPack[] = [];
  #groups: EncodedGroup[] = [];
  #pendingBytes = 0;
  #storedBytes = 0;
  #recordBytes = 0;

  constructor(store: Store, secrets: RepositorySecrets, owner: string) {
    this.#store = store;
    this.#secrets = secrets;
    this.#owner = owner;
  }

  get storedBytes(): number {
    return this.#storedBytes;
  }

  /** Of all groups, before they are compressed. */
  get recordBytes(): number {
    return this.#recordBytes;
  }

  async addGroup(group: number, records: readonly SegmentRecord[], signal?: AbortSignal): Promise<void> {
    const data = encodeRecords(records);
    if (this.#pendingBytes > 0 && this.#pendingBytes + data.length > TARGET_BYTES) {
      await this.#writePack(signal);
    }
    this.#groups.push({ group, data });
    this.#pendingBytes += data.length;
    this.#recordBytes += data.length;
  }

  async finish(signal?: AbortSignal): Promise<readonly ManifestPack[]> {
    if (this.#groups.length > 0) {
      await this.#writePack(signal);
    }
    return this.#packs;
  }

  async #writePack(signal?: AbortSignal): Promise<void> {
    const groups = this.#groups;
    const frames = [...groups.map(({ data }) => data), encodeDirectory(groups.map(({ group }) => group))];
    const id = metaPackId(this.#secrets.nameKey, this.#owner, frames);
    const { data, contents } = sealMetaPack(id, frames, this.#secrets);
    await this.#store.putIfAbsent(packName('meta', id), [data], { signal });
    this.#packs.push({ id, firstGroup: groups[0]?.group ?? 0, lastGroup: groups.at(-1)?.group ?? 0, contents });
    this.#storedBytes += data.length;
    this.#groups = [];
    this.#pendingBytes = 0;
  }
}
