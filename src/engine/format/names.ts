import type { ObjectId } from './ids.ts';

export type PackArea = 'data' | 'meta';

export function repoName(generation: number): string {
  return `repo.${generation}`;
}

export const DATA_PREFIX = 'data/';

export function packName(area: PackArea, id: ObjectId): string {
  return `${area}/${id.slice(0, 2)}/${id}`;
}

export function indexName(generation: number, id: ObjectId): string {
  return `index/${generation}/${id}`;
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
