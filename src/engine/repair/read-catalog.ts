import { isUuid } from '../../kernel/ids.ts';
import { surveyCondemned } from '../collect/survey-condemned.ts';
import { packName, pointName, sessionName } from '../format/names.ts';
import { lostPoints } from '../points/lost-points.ts';
import type { CustodyState } from '../points/custody-log.ts';
import type { PointStore } from '../points/point-store.ts';
import type { RepositoryContext } from '../repository-context.ts';
import { readEpoch } from '../sessions/epoch.ts';
import { SessionStore } from '../sessions/session-store.ts';
import type { SessionSummary } from '../sessions/session-types.ts';
import { requireDamage } from '../verify/diagnose.ts';
import type { Catalog, CatalogCondemned, CatalogDamage, CatalogPoint } from './catalog-types.ts';

const EPOCHS = 'epoch/';
const NO_CUSTODY = { retainUntil: 0, holds: [] };

/** What the store says of itself. Damage is an answer, not an error: each object is read by itself. */
export async function readCatalog(context: RepositoryContext, points: PointStore): Promise<Catalog> {
  const damaged: CatalogDamage[] = [];
  const note = (name: string, error: unknown): void => {
    requireDamage(error);
    damaged.push({ name, message: error.message });
  };
  const epoch = await readEpoch(context.store, context.secrets).catch((error: unknown) => {
    note(EPOCHS, error);
    return null;
  });
  let storedBytes = 0;
  for await (const { sizeBytes } of context.store.list('')) {
    storedBytes += sizeBytes;
  }
  return {
    repositoryId: context.repositoryId,
    epoch,
    storedBytes,
    points: await readPoints(points, note, (damage) => damaged.push(damage)),
    condemned: await readCondemned(context, note),
    sessions: await readSessions(context, note),
    damaged,
  };
}

type Note = (name: string, error: unknown) => void;
type Tell = (damage: CatalogDamage) => void;

async function readPoints(points: PointStore, note: Note, tell: Tell): Promise<CatalogPoint[]> {
  const custody = new Map<string, CustodyState>();
  // Of what is damaged there, the list of points below says it.
  for await (const [pointId, state] of points.custody.list((_, error) => requireDamage(error))) {
    custody.set(pointId, state);
  }
  const found: CatalogPoint[] = [];
  for await (const { summary } of points.list((pointId, error) => note(damagedName(pointId, error.data), error))) {
    const { retainUntil, holds } = custody.get(summary.pointId) ?? NO_CUSTODY;
    found.push({ ...summary, retainUntil: Math.max(retainUntil, summary.retainUntil ?? 0), holds });
  }
  for await (const { pointId, message } of lostPoints(points, await points.listed())) {
    tell({ name: pointName(pointId), message });
  }
  return found.toSorted((a, b) => a.takenAt - b.takenAt || (a.pointId < b.pointId ? -1 : 1));
}

async function readCondemned(context: RepositoryContext, note: Note): Promise<CatalogCondemned[]> {
  for (const error of await surveyCondemned(context)) {
    note(String(error.data['object']), error);
  }
  return Array.from(context.condemned.entries, ([number, { condemnedAt, reason, packs }]) => ({
    number,
    condemnedAt,
    reason,
    packs: packs.map((id) => packName('data', id)),
  }));
}

async function readSessions({ store, secrets }: RepositoryContext, note: Note): Promise<SessionSummary[]> {
  const sessions = new SessionStore(store, secrets);
  const found: SessionSummary[] = [];
  const prefix = sessionName('');
  for await (const { name } of store.list(prefix)) {
    const sessionId = name.slice(prefix.length);
    if (!isUuid(sessionId)) {
      continue;
    }
    try {
      const session = await sessions.find(sessionId);
      if (session !== null) {
        const { pointId, purpose, pins, startedAt } = session;
        found.push({ sessionId, pointId, purpose, pins, startedAt });
      }
    } catch (error) {
      note(name, error);
    }
  }
  return found.toSorted((a, b) => a.startedAt - b.startedAt);
}

function damagedName(pointId: string, data: Readonly<Record<string, unknown>>): string {
  return typeof data['object'] === 'string' ? data['object'] : pointName(pointId);
}
