import { isUuid } from '../../kernel/ids.ts';
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

export interface JournalPlace {
  readonly sessionId: string;
  readonly diskTag: string;
  readonly entryId: ObjectId;
}

const JOURNAL = /^sessions\/([^/.]+)\.([0-9a-f]{16})\.([^/.]+)$/;

/** Of which write a name is a journal entry, or null. */
export function journalPlaceOf(name: string): JournalPlace | null {
  const [, sessionId = '', diskTag = '', entryId = ''] = JOURNAL.exec(name) ?? [];
  return isUuid(sessionId) && isObjectId(entryId) ? { sessionId, diskTag, entryId } : null;
}

export function pointName(pointId: string): string {
  return `points/${pointId}`;
}

export const CONDEMNED_PREFIX = 'condemned/';

export function condemnedName(number: number): string {
  return `${CONDEMNED_PREFIX}${number}`;
}

const CONDEMNED = /^condemned\/([1-9]\d{0,14})(?:\.waits)?$/;

/** The number that a name is of, condemned packs or waits, or null. */
export function condemnedNumberOf(name: string): number | null {
  const found = CONDEMNED.exec(name);
  return found === null ? null : Number(found[1]);
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

const FOLDER = /^(?:(?:data|meta)(?:\/[0-9a-f]{2})?|index(?:\/\d+)?|epoch|sessions|points|custody|condemned)$/;

/** Whether objects of a vault lie below that name, which has no `/` at its end. */
export function isFolderName(name: string): boolean {
  return FOLDER.test(name) || (name.startsWith(CUSTODY_PREFIX) && isUuid(name.slice(CUSTODY_PREFIX.length)));
}
