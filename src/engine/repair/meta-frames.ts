import { packName } from '../format/names.ts';
import { FrameOpener, type PackTable } from '../format/pack-reader.ts';
import { keyedDigest } from '../keys/digest.ts';
import { readMetaTable, type NamedMetaPack } from '../manifest/read-meta-table.ts';
import { encodeDirectory } from '../manifest/seal-meta-pack.ts';
import { decodeRecords } from '../manifest/segment-record.ts';
import { SEGMENTS_PER_GROUP } from '../manifest/manifest-reader.ts';
import type { RepositoryContext } from '../repository-context.ts';
import type { ManifestPack } from '../manifest/manifest-types.ts';
import { nullIfDamaged, requireDamage } from '../verify/diagnose.ts';
import { frames, requireLayout } from '../verify/pack-layout.ts';

/** What a meta pack held, as far as its table still says it: the digest of each frame, and those that open. */
export class MetaFrames {
  readonly #order: readonly string[];
  readonly #lacking: Set<string>;
  readonly #found = new Map<string, Buffer>();
  readonly #digestKey: Uint8Array;

  constructor(digestKey: Uint8Array, digests: readonly Uint8Array[]) {
    this.#digestKey = digestKey;
    this.#order = digests.map(keyOf);
    this.#lacking = new Set(this.#order);
  }

  /** Keeps those that the pack held. */
  offer(contents: readonly Buffer[]): void {
    for (const content of contents) {
      const key = keyOf(keyedDigest(this.#digestKey, content));
      if (this.#lacking.delete(key)) {
        this.#found.set(key, content);
      }
    }
  }

  lacks(digest: Uint8Array): boolean {
    return this.#lacking.has(keyOf(digest));
  }

  /** Everything that the pack held, in order; null while something is lacking. */
  get all(): readonly Buffer[] | null {
    return this.#lacking.size > 0 ? null : this.#order.flatMap((key) => this.#found.get(key) ?? []);
  }
}

/** Null where its table does not open, or is another one. */
export async function readMetaFrames(context: RepositoryContext, pack: NamedMetaPack): Promise<MetaFrames | null> {
  const table = await nullIfDamaged(readTable(context, pack));
  if (table === null) {
    return null;
  }
  const { digestKey } = context.secrets;
  const found = new MetaFrames(
    digestKey,
    Array.from(frames(table), ({ digest }) => digest),
  );
  const contents = await readFrames(context, table, () => true);
  found.offer(contents);
  // Frames of records say themselves which groups they are of; what is none says nothing that would be believed.
  found.offer([encodeDirectory(contents.slice(0, table.frameCount - 1).flatMap(groupOf))]);
  return found;
}

/** The readable frames of another pack that this one lacks. */
export async function offerFrom(context: RepositoryContext, pack: ManifestPack, lacking: MetaFrames): Promise<void> {
  const table = await nullIfDamaged(readTable(context, pack));
  if (table !== null) {
    lacking.offer(await readFrames(context, table, (digest) => lacking.lacks(digest)));
  }
}

async function readTable({ store, secrets }: RepositoryContext, pack: NamedMetaPack): Promise<PackTable> {
  const table = await readMetaTable(store, pack, secrets);
  requireLayout(table);
  return table;
}

async function readFrames(
  { store, secrets }: RepositoryContext,
  table: PackTable,
  isWanted: (digest: Uint8Array) => boolean,
): Promise<Buffer[]> {
  const opener = new FrameOpener(table.opener, secrets.digestKey);
  const contents: Buffer[] = [];
  for (const frame of frames(table)) {
    if (isWanted(frame.digest)) {
      try {
        const sealed = new Uint8Array(frame.sealedBytes);
        await store.getRange(table.opener.name, frame.offset, sealed);
        contents.push(Buffer.from(opener.open(frame, sealed)));
      } catch (error) {
        requireDamage(error);
      }
    }
  }
  return contents;
}

function groupOf(content: Buffer): number[] {
  try {
    const [first] = decodeRecords(content, packName('meta', ''));
    return first === undefined ? [] : [Math.floor(first.segment / SEGMENTS_PER_GROUP)];
  } catch (error) {
    requireDamage(error);
    return [];
  }
}

function keyOf(digest: Uint8Array): string {
  return Buffer.from(digest).toString('hex');
}
