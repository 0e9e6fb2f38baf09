import { isAppError } from '../../kernel/errors.ts';
import { corrupt } from '../format/header.ts';
import type { ObjectId } from '../format/ids.ts';
import { packName } from '../format/names.ts';
import { FrameOpener, hasShortDigest, type Frame, type PackTable } from '../format/pack-reader.ts';
import type { RepositorySecrets } from '../keys/key-schedule.ts';
import type { ChunkRef } from '../manifest/segment-record.ts';
import type { Store } from '../ports/store.ts';
import { orDamage } from '../verify/diagnose.ts';
import type { CondemnedPacks, PackTables } from './pack-tables.ts';

/** So many packs may have gone, one after the other, since their tables were read. */
const MAX_READS = 8;

export interface FoundFrame {
  readonly table: PackTable;
  readonly frame: Frame;
}

/** Whether a frame is known not to open, so that another place of its chunk is wanted. */
export type IsLost = (pack: ObjectId, frame: number) => boolean;

/** Where else a chunk may lie than where a manifest says. */
export interface ChunkLocator {
  /** Packs that may hold the chunk of this (short) digest; condemned ones too, as long as an index segment names them. */
  packsOf(digest: Uint8Array): Promise<readonly ObjectId[]>;
  /** Learns what was published meanwhile. */
  relearn(): Promise<void>;
}

/**
 * Finds chunks in their packs. A manifest's place is a hint, its digest is the truth: a chunk that is not where it was, or
 * is there in a condemned pack, is looked for in the index, so that older restore points find what was moved or stored
 * again.
 */
export class ChunkReader {
  readonly #store: Store;
  readonly #secrets: RepositorySecrets;
  readonly #tables: PackTables;
  readonly #condemned: CondemnedPacks;
  readonly #elsewhere: ChunkLocator;

  constructor(
    store: Store,
    secrets: RepositorySecrets,
    tables: PackTables,
    condemned: CondemnedPacks,
    elsewhere: ChunkLocator,
  ) {
    this.#store = store;
    this.#secrets = secrets;
    this.#tables = tables;
    this.#condemned = condemned;
    this.#elsewhere = elsewhere;
  }

  /** VAULT_CORRUPT, naming the pack of the manifest, where the chunk is nowhere but in frames that are lost. */
  async find(chunk: ChunkRef, isLost: IsLost = () => false): Promise<FoundFrame> {
    const isCondemned = this.#condemned.has(chunk.pack);
    const first = isCondemned ? null : await orDamage(this.#findAt(chunk, isLost));
    if (first !== null && !(first instanceof Error)) {
      return first;
    }
    const moved = await this.#search(chunk, isLost);
    if (moved !== null) {
      return moved;
    }
    // Condemned packs are there for as long as something is needed that is only in them.
    const last = isCondemned ? await orDamage(this.#findAt(chunk, isLost)) : first;
    if (last !== null && !(last instanceof Error)) {
      return last;
    }
    const kept = await this.#searchKnown(chunk, isLost, true);
    if (kept === null) {
      throw last ?? corrupt(packName('data', chunk.pack), 'was not found');
    }
    return kept;
  }

  /** One chunk, checked; from another place where it does not open. For single chunks: on the thread that asks. */
  async read(chunk: ChunkRef, signal?: AbortSignal): Promise<Uint8Array> {
    const lost = new Set<string>();
    let damage: Error | null = null;
    for (let reads = 1; ; reads += 1) {
      const found = await orDamage(this.find(chunk, (pack, frame) => lost.has(`${pack} ${frame}`)));
      if (found instanceof Error) {
        throw damage ?? found;
      }
      const pack = found.table.opener.context.objectId;
      const data = await orDamage(this.#open(found, signal));
      if (!(data instanceof Error)) {
        return data;
      }
      if (reads === MAX_READS) {
        throw damage ?? data;
      }
      if (isAppError(data, 'VAULT_OBJECT_MISSING')) {
        // Its table was read before it was collected.
        this.#tables.forget(pack);
      } else {
        lost.add(`${pack} ${found.frame.ordinal}`);
        damage ??= data;
      }
    }
  }

  /** What was read of a pack no longer holds: it is not there any more. */
  forget(pack: ObjectId): void {
    this.#tables.forget(pack);
  }

  table(pack: ObjectId): Promise<PackTable> {
    return this.#tables.get(pack);
  }

  async #open({ table, frame }: FoundFrame, signal?: AbortSignal): Promise<Uint8Array> {
    const sealed = new Uint8Array(frame.sealedBytes);
    await this.#store.getRange(table.opener.name, frame.offset, sealed, signal);
    return new FrameOpener(table.opener, this.#secrets.digestKey).open(frame, sealed);
  }

  async #findAt(chunk: ChunkRef, isLost: IsLost): Promise<FoundFrame> {
    const table = await this.#tables.get(chunk.pack);
    if (isLost(chunk.pack, chunk.frame)) {
      throw corrupt(table.opener.name, `has a damaged frame ${chunk.frame}`);
    }
    const frame = table.frame(chunk.frame);
    if (!hasShortDigest(frame, chunk.digest)) {
      throw corrupt(table.opener.name, `holds another chunk in frame ${chunk.frame} than the manifest says`);
    }
    return { table, frame };
  }

  async #search(chunk: ChunkRef, isLost: IsLost): Promise<FoundFrame | null> {
    const found = await this.#searchKnown(chunk, isLost, false);
    if (found !== null) {
      return found;
    }
    // Searched again also if nothing is new now: another reader may have learnt it since the search before.
    await this.#elsewhere.relearn();
    return this.#searchKnown(chunk, isLost, false);
  }

  async #searchKnown({ digest }: ChunkRef, isLost: IsLost, condemned: boolean): Promise<FoundFrame | null> {
    for (const pack of await this.#elsewhere.packsOf(digest)) {
      if (this.#condemned.has(pack) === condemned) {
        const table = await orDamage(this.#tables.get(pack));
        const frame = table instanceof Error ? null : table.find(digest);
        if (!(table instanceof Error) && frame !== null && !isLost(pack, frame.ordinal)) {
          return { table, frame };
        }
      }
    }
    return null;
  }
}
