import { throwIfAborted } from '../../kernel/abort.ts';
import { INDEX_PREFIX } from '../format/names.ts';
import { ENTRY_BYTES, packAt } from '../index/index-entries.ts';
import { isSegmentName, openIndexSegment } from '../index/index-segment.ts';
import type { StoredObject } from '../ports/store.ts';
import type { RepositoryContext } from '../repository-context.ts';
import { requireDamage } from '../verify/diagnose.ts';
import { listPacks } from './list-packs.ts';

/** Index segments that lead to no pack any more, with their sizes. Merges leave out what is gone in part. */
export async function findIdleSegments(
  context: RepositoryContext,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const segments: StoredObject[] = [];
  for await (const object of context.store.list(INDEX_PREFIX)) {
    if (isSegmentName(object.name)) {
      segments.push(object);
    }
  }
  // After the segments: a segment is published after its packs.
  const present = await listPacks(context.store, 'data', signal);
  const idle = new Map<string, number>();
  for (const object of segments) {
    throwIfAborted(signal);
    if (await isIdle(context, object, (pack) => present.has(pack), signal)) {
      idle.set(object.name, object.sizeBytes);
    }
  }
  return idle;
}

/** Reads as far as to the first entry that leads somewhere: hardly anything of most segments. */
async function isIdle(
  { store, secrets }: RepositoryContext,
  object: StoredObject,
  isPresent: (pack: string) => boolean,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const segment = await openIndexSegment(store, object, secrets, { wholeBytes: 0, signal });
    for await (const entries of segment.read(signal)) {
      if (findEntry(entries, isPresent)) {
        return false;
      }
    }
    return true;
  } catch (error) {
    // Merged away, or damaged, which verification names.
    requireDamage(error);
    return false;
  }
}

function findEntry(entries: Buffer, isPresent: (pack: string) => boolean): boolean {
  for (let at = 0; at < entries.length; at += ENTRY_BYTES) {
    if (isPresent(packAt(entries, at))) {
      return true;
    }
  }
  return false;
}
