import { isObjectId, type ObjectId } from './ids.ts';

export type PackArea = 'data' | 'meta';

export function repoName(generation: number): string {
  return `repo.${generation}`;
}

/** The generations that `repo.<g>` are there of, in no order, from what `list(REPO_PREFIX)` names. */
export const REPO_PREFIX = 'repo.';

export function generationOfRepo(name: string): number | null {
  const found = /^repo\.(0|[1-9]\d{0,8})$/.exec(name);
  return found === null ? null : Number(found[1]);
}

export const EPOCH_PREFIX = 'epoch/';

export function epochName(number: number): string {
  return `${EPOCH_PREFIX}${number}`;
}

export const DATA_PREFIX = 'data/';
export const META_PREFIX = 'meta/';

export function packName(area: PackArea, id: ObjectId): string {
  return `${area}/${id.slice(0, 2)}/${id}`;
}

export const INDEX_PREFIX = 'index/';

export function indexName(generation: number, id: ObjectId): string {
  return `${INDEX_PREFIX}${generation}/${id}`;
}

export function sessionName(sessionId: string): string {
  return `sessions/${sessionId}`;
}

/** `diskTag`: 16 hex digits that stand for one write of a disk. */
export function journalPrefix(sessionId: string, diskTag?: string): string {
  return `sessions/${sessionId}.${diskTag === undefined ? '' : `${diskTag}.`}`;
}

export function journalName(sessionId: string, diskTag: string, entryId: ObjectId): string {
  return `${journalPrefix(sessionId, diskTag)}${entryId}`;
}

export function pointName(pointId: string): string {
  return `points/${pointId}`;
}

export const CONDEMNED_PREFIX = 'condemned/';

export function condemnedName(number: number): string {
  return `${CONDEMNED_PREFIX}${number}`;
}

export const CUSTODY_PREFIX = 'custody/';

/** What became of a restore point: entries are counted from 1. */
export function custodyName(pointId: string, number: number | ''): string {
  return `${CUSTODY_PREFIX}${pointId}/${number}`;
}

/** Sessions that whoever acts on `condemned/<n>` waits for. */
export function waitsName(number: number): string {
  return `${condemnedName(number)}.waits`;
}

/** The pack that a name is of, or null. */
export function packIdOf(area: PackArea, name: string): ObjectId | null {
  const id = name.slice(name.lastIndexOf('/') + 1);
  return isObjectId(id) && name === packName(area, id) ? id : null;
}
