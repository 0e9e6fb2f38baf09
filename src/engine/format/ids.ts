import { randomBytes } from 'node:crypto';
import { AppError } from '../../kernel/errors.ts';
import { isUuid } from '../../kernel/ids.ts';

/** 16 bytes, written as 32 hex digits: packs and index segments. */
export type ObjectId = string;

export function newObjectId(): ObjectId {
  return randomBytes(16).toString('hex');
}

export function isObjectId(text: string): boolean {
  return /^[0-9a-f]{32}$/.test(text);
}

export function idBytes(id: ObjectId): Buffer {
  return Buffer.from(id, 'hex');
}

/** Points, sessions and repositories are named by UUIDs; their 16 bytes go into keys and associated data. */
export function uuidToObjectId(uuid: string, what: string): ObjectId {
  requireUuid(uuid, what);
  return uuid.replaceAll('-', '');
}

/** BAD_INPUT where an id is none; `what` it names. */
export function requireUuid(uuid: string, what: string): void {
  if (!isUuid(uuid)) {
    throw new AppError('BAD_INPUT', `The ${what} id ${JSON.stringify(uuid)} is not a lower-case UUID.`);
  }
}

/** Epochs and condemned packs are counted: the number as 16 bytes, the highest first. */
export function numberToObjectId(number: number): ObjectId {
  return number.toString(16).padStart(32, '0');
}
