import { corrupt } from '../format/header.ts';
import type { PackTable } from '../format/pack-reader.ts';
import { keyedDigest, SHORT_DIGEST_BYTES } from '../keys/digest.ts';

/**
 * What a meta pack holds, as 32 hex digits: of the digests of all its frames, in their order. A restore point says it of
 * its packs, so that nobody puts another one in their place, not even who has a key that is no longer used.
 */
export function metaContents(digestKey: Uint8Array, digests: readonly Uint8Array[]): string {
  return keyedDigest(digestKey, ...digests).toString('hex', 0, SHORT_DIGEST_BYTES);
}

/** VAULT_CORRUPT if a pack's table is not of the frames that the restore point names. */
export function requireContents(table: PackTable, contents: string | undefined, digestKey: Uint8Array): void {
  // Restore points of before say nothing.
  if (contents !== undefined && metaContents(digestKey, digestsOf(table)) !== contents) {
    throw corrupt(table.opener.name, 'holds something else than its restore point says');
  }
}

function digestsOf(table: PackTable): Uint8Array[] {
  return Array.from({ length: table.frameCount }, (_, ordinal) => table.frame(ordinal).digest);
}
