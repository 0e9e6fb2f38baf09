import type { PointSummary } from '../points/point-types.ts';
import type { Repository } from '../repository.ts';
import type { CopyBase, Provenance } from './copy-types.ts';

/** What a copy's `info` says: all that the original's does, and where it is from. */
export function infoOfCopy(repositoryId: string, { pointId, committedAt, info }: PointSummary): PointSummary['info'] {
  const earlier = provenanceOf(info);
  const copiedFrom: Provenance = {
    repositoryId,
    pointId,
    committedAt,
    ...(earlier === null ? {} : { copiedFrom: earlier }),
  };
  return { ...info, copiedFrom };
}

/** Null of a point that is no copy. */
export function provenanceOf(info: PointSummary['info']): Provenance | null {
  const value = info['copiedFrom'];
  const isProvenance = typeof value === 'object' && value !== null && 'repositoryId' in value && 'pointId' in value;
  return isProvenance ? (value as Provenance) : null;
}

/** The backup that a restore point of this repository is of, through however many copies: the same text for the same backup. */
export function originOf(repositoryId: string, { pointId, info }: PointSummary): string {
  let origin: Pick<Provenance, 'repositoryId' | 'pointId' | 'copiedFrom'> = { repositoryId, pointId };
  for (let earlier = provenanceOf(info); earlier !== null; earlier = provenanceOf({ copiedFrom: earlier.copiedFrom })) {
    origin = earlier;
  }
  return `${origin.repositoryId} ${origin.pointId}`;
}

/**
 * The newest restore point of the same machine, no newer than this one, that both repositories have: what a copy needs
 * to send is least from there. Null if there is none.
 */
export async function findCopyBase(from: Repository, to: Repository, pointId: string): Promise<CopyBase | null> {
  const older = await findOlder(from, pointId);
  let best: { readonly base: CopyBase; readonly takenAt: number } | null = null;
  for await (const copy of to.listPoints({ onDamaged: ignore })) {
    const origin = provenanceOf(copy.info);
    const original = origin?.repositoryId === from.repositoryId ? older.get(origin.pointId) : undefined;
    if (original !== undefined && (best === null || original.takenAt > best.takenAt)) {
      best = { base: { pointId: original.pointId, copyId: copy.pointId }, takenAt: original.takenAt };
    }
  }
  return best?.base ?? null;
}

async function findOlder(from: Repository, pointId: string): Promise<Map<string, PointSummary>> {
  const { vmId, takenAt } = (await from.readPoint(pointId)).summary;
  const older = new Map<string, PointSummary>();
  for await (const summary of from.listPoints({ onDamaged: ignore })) {
    if (summary.vmId === vmId && summary.takenAt <= takenAt && summary.pointId !== pointId) {
      older.set(summary.pointId, summary);
    }
  }
  return older;
}

/** A damaged point is no base; that it is damaged is told by whoever verifies. */
function ignore(): void {}
