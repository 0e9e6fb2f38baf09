import type { ListPointsOptions, PointSummary } from '../points/point-types.ts';
import type { Repository } from '../repository.ts';
import type { SessionSummary } from '../sessions/session-types.ts';
import type { CopyBase, CopyPointRequest } from './copy-types.ts';
import { findCopyBase, originOf, provenanceOf } from './provenance.ts';

/** What goes on with a copy, or begins one. */
type CopyIds = Pick<CopyPointRequest, 'pointId' | 'copyId' | 'sessionId' | 'base'>;

/** Who is told of restore points that are damaged, on each side. Those that can't be read are passed over. */
export interface OnDamagedPoint {
  readonly from?: ListPointsOptions['onDamaged'];
  readonly to?: ListPointsOptions['onDamaged'];
}

/** Restore points of backups that the other repository has no point of, neither its own nor a copy; oldest first. */
export async function findUncopied(
  from: Repository,
  to: Repository,
  onDamaged: OnDamagedPoint = {},
): Promise<readonly PointSummary[]> {
  const there = new Set<string>();
  for await (const point of to.listPoints({ onDamaged: onDamaged.to ?? ignore })) {
    there.add(originOf(to.repositoryId, point));
  }
  const points: PointSummary[] = [];
  for await (const point of from.listPoints({ onDamaged: onDamaged.from ?? ignore })) {
    if (!there.has(originOf(from.repositoryId, point))) {
      points.push(point);
    }
  }
  return points.toSorted((a, b) => a.takenAt - b.takenAt);
}

/** The other repository's restore point of the same backup, its own or a copy. Null if there is none that can be read. */
export async function findSameBackup(
  from: Repository,
  point: PointSummary,
  to: Repository,
  onDamaged: ListPointsOptions['onDamaged'] = ignore,
): Promise<PointSummary | null> {
  const origin = originOf(from.repositoryId, point);
  let found: PointSummary | null = null;
  for await (const candidate of to.listPoints({ onDamaged })) {
    found = originOf(to.repositoryId, candidate) === origin ? candidate : found;
  }
  return found;
}

/**
 * How to copy a point: on from where it was interrupted, for sessions remember; else with new ids, from the best base.
 * `passedOver`: ids of sessions that nothing goes on from, which a store that locks them may keep.
 */
export async function planCopy(
  from: Repository,
  to: Repository,
  pointId: string,
  newId: () => string,
  passedOver: ReadonlySet<string> = new Set(),
): Promise<CopyIds & { readonly resumes: boolean }> {
  const isOfThis = ({ sessionId, purpose, pins }: SessionSummary): boolean =>
    purpose === 'copy' && pins[0] === pointId && !passedOver.has(sessionId);
  const reading = await findSession(from, isOfThis);
  if (reading !== null) {
    const { sessionId, pointId: copyId, pins } = reading;
    const base = await baseOf(pins[1], from, to, sessionId);
    if (base !== 'gone') {
      return { pointId, copyId, sessionId, resumes: true, ...(base === null ? {} : { base }) };
    }
  }
  const base = await findCopyBase(from, to, pointId);
  return { pointId, copyId: newId(), sessionId: newId(), resumes: false, ...(base === null ? {} : { base }) };
}

/** What the interrupted copy stood on: as its session there pins it, or as it would if it had come to that. */
async function baseOf(
  basePointId: string | undefined,
  from: Repository,
  to: Repository,
  sessionId: string,
): Promise<CopyBase | null | 'gone'> {
  if (basePointId === undefined) {
    return null;
  }
  const writing = await findSession(to, (session) => session.sessionId === sessionId);
  const copyId = writing?.pins[0] ?? (await copiesIn(to, from.repositoryId)).get(basePointId);
  return copyId === undefined ? 'gone' : { pointId: basePointId, copyId };
}

async function findSession(
  repository: Repository,
  matches: (session: SessionSummary) => boolean,
): Promise<SessionSummary | null> {
  // A damaged one, or what somebody else put there, is no copy to go on with.
  for await (const session of repository.listSessions({ onDamaged: () => undefined })) {
    if (matches(session)) {
      return session;
    }
  }
  return null;
}

/** Of each point that was copied from that repository, the id of a copy. */
async function copiesIn(to: Repository, fromRepositoryId: string): Promise<ReadonlyMap<string, string>> {
  const copies = new Map<string, string>();
  for await (const { pointId, info } of to.listPoints({ onDamaged: ignore })) {
    const origin = provenanceOf(info);
    if (origin?.repositoryId === fromRepositoryId) {
      copies.set(origin.pointId, pointId);
    }
  }
  return copies;
}

/** For who does without what is damaged. */
function ignore(): void {}
