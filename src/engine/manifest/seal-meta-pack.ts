import { HEADER_BYTES, OBJECT_KIND } from '../format/header.ts';
import type { ObjectId } from '../format/ids.ts';
import { FOOTER_BYTES, PackBuilder, TABLE_ENTRY_BYTES } from '../format/pack-builder.ts';
import { TAG_BYTES } from '../format/seal.ts';
import { keyedDigest } from '../keys/digest.ts';
import type { RepositorySecrets } from '../keys/key-schedule.ts';
import { metaContents } from './meta-contents.ts';

/** Whose a manifest is: the same content of another disk is another pack, so that names give no equality away. */
export function manifestOwner(sessionId: string, diskKey: string): string {
  return `${sessionId}\0${diskKey}`;
}

/** The last frame of a meta pack: which groups the others hold. */
export function encodeDirectory(groups: readonly number[]): Buffer {
  const directory = Buffer.alloc(4 * groups.length);
  groups.forEach((group, i) => directory.writeUInt32LE(group, 4 * i));
  return directory;
}

/**
 * What a meta pack of these frames, directory last, is called: whoever has an id can tell by it whether frames are those
 * that were written.
 */
export function metaPackId(nameKey: Uint8Array, owner: string, frames: readonly Uint8Array[]): ObjectId {
  const directory = frames.at(-1) ?? new Uint8Array(0);
  return keyedDigest(nameKey, Buffer.from(`meta\0${owner}\0`, 'utf8'), directory, ...frames).toString('hex', 0, 16);
}

export interface SealedMetaPack {
  readonly data: Uint8Array;
  /** As `metaContents` says it. */
  readonly contents: string;
}

export function sealMetaPack(id: ObjectId, frames: readonly Uint8Array[], secrets: RepositorySecrets): SealedMetaPack {
  const rawBytes = frames.reduce((sum, { length }) => sum + length, 0);
  const perFrame = TABLE_ENTRY_BYTES + TAG_BYTES;
  const buffer = new Uint8Array(HEADER_BYTES + rawBytes + frames.length * perFrame + TAG_BYTES + FOOTER_BYTES);
  const builder = new PackBuilder(buffer, OBJECT_KIND.metaPack, id, secrets);
  const digests = frames.map((frame) => keyedDigest(secrets.digestKey, frame));
  frames.forEach((frame, i) => builder.append(frame, digests[i] ?? frame));
  return { data: buffer.subarray(0, builder.finish()), contents: metaContents(secrets.digestKey, digests) };
}
