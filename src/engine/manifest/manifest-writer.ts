import { HEADER_BYTES, OBJECT_KIND } from '../format/header.ts';
import { packName } from '../format/names.ts';
import { FOOTER_BYTES, PackBuilder, TABLE_ENTRY_BYTES } from '../format/pack-builder.ts';
import { TAG_BYTES } from '../format/seal.ts';
import { keyedDigest } from '../keys/digest.ts';
import type { RepositorySecrets } from '../keys/key-schedule.ts';
import type { Store } from '../ports/store.ts';
import type { ManifestPack } from '../types.ts';
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
  /** Session and disk: the same content of another disk is another pack, so that names give no equality away. */
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
    const directory = Buffer.alloc(4 * groups.length);
    groups.forEach(({ group }, i) => directory.writeUInt32LE(group, 4 * i));
    const frames = [...groups.map(({ data }) => data), directory];
    const owner = Buffer.from(`meta\0${this.#owner}\0`, 'utf8');
    const id = keyedDigest(this.#secrets.nameKey, owner, directory, ...frames).toString('hex', 0, 16);
    const perFrame = TABLE_ENTRY_BYTES + TAG_BYTES;
    const room =
      HEADER_BYTES + this.#pendingBytes + directory.length + frames.length * perFrame + TAG_BYTES + FOOTER_BYTES;
    const buffer = new Uint8Array(room);
    const builder = new PackBuilder(buffer, OBJECT_KIND.metaPack, id, this.#secrets);
    for (const frame of frames) {
      builder.append(frame, keyedDigest(this.#secrets.digestKey, frame));
    }
    const data = buffer.subarray(0, builder.finish());
    await this.#store.putIfAbsent(packName('meta', id), [data], { signal });
    this.#packs.push({ id, firstGroup: groups[0]?.group ?? 0, lastGroup: groups.at(-1)?.group ?? 0 });
    this.#storedBytes += data.length;
    this.#groups = [];
    this.#pendingBytes = 0;
  }
}
