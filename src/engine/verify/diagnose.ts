import { isAppError, type AppError } from '../../kernel/errors.ts';
import { DIGEST_BYTES } from '../keys/digest.ts';
import { deriveObjectKeys, type RepositorySecrets } from '../keys/key-schedule.ts';
import { decodeHeader, HEADER_BYTES, OBJECT_KIND, type ObjectHeader } from '../format/header.ts';
import type { ObjectId } from '../format/ids.ts';
import { packName, type PackArea } from '../format/names.ts';
import { FOOTER_BYTES, TABLE_ENTRY_BYTES } from '../format/pack-builder.ts';
import { TAG_BYTES } from '../format/seal.ts';
import type { Store } from '../ports/store.ts';
import type { DamagedObject, ObjectProblem } from './verify-types.ts';

const COMMITMENT_AT = 16;

/** Whether an error says that stored bytes are damaged or can't be had; anything else may be better next time. */
export function isDamage(error: unknown): error is AppError {
  return isAppError(error, 'VAULT_CORRUPT', 'VAULT_OBJECT_MISSING', 'VAULT_FORMAT_UNKNOWN') || isUnreadable(error);
}

/** Throws what is no damage. */
export function requireDamage(error: unknown): asserts error is AppError {
  if (!isDamage(error)) {
    throw error;
  }
}

/** Damage as an answer: for who looks elsewhere, or has to say what is lost. */
export async function orDamage<T>(reading: Promise<T>): Promise<T | AppError> {
  try {
    return await reading;
  } catch (error) {
    requireDamage(error);
    return error;
  }
}

/** For who needs what is read only to be quicker, or has more to go by. */
export async function nullIfDamaged<T>(reading: Promise<T>): Promise<T | null> {
  try {
    return await reading;
  } catch (error) {
    requireDamage(error);
    return null;
  }
}

/** A sector that its disk can't read is damage: reading it again does not help. What can't be written names no object. */
export function isUnreadable(error: unknown): error is AppError {
  return (
    isAppError(error, 'VAULT_UNREACHABLE') && error.data['errno'] === 'EIO' && typeof error.data['object'] === 'string'
  );
}

/** What is wrong with a pack that could not be opened or does not have its hash. */
export async function diagnosePack(
  store: Store,
  secrets: RepositorySecrets,
  pack: { readonly area: PackArea; readonly id: ObjectId },
  error: AppError,
): Promise<Omit<DamagedObject, 'lostFrames'>> {
  const name = packName(pack.area, pack.id);
  const found = await store.head(name);
  const problem = found === null ? 'missing' : await findProblem(store, secrets, pack, found.sizeBytes, error);
  return { name, problem, message: error.message };
}

async function findProblem(
  store: Store,
  secrets: RepositorySecrets,
  { area, id }: { readonly area: PackArea; readonly id: ObjectId },
  sizeBytes: number,
  error: AppError,
): Promise<ObjectProblem> {
  if (isUnreadable(error)) {
    return 'unreadable';
  }
  if (sizeBytes < HEADER_BYTES + FOOTER_BYTES) {
    return 'truncated';
  }
  const name = packName(area, id);
  const tail = new Uint8Array(FOOTER_BYTES - DIGEST_BYTES);
  await store.getRange(name, sizeBytes - FOOTER_BYTES, tail);
  const header = await nullIfDamaged(readHeader(store, name));
  if (header === null) {
    return 'changed';
  }
  if (header.id !== id || header.kind !== (area === 'data' ? OBJECT_KIND.dataPack : OBJECT_KIND.metaPack)) {
    // A flipped bit in a header's id makes no other object: its end would not agree.
    return isCommitment(tail, header, secrets) ? 'exchanged' : 'changed';
  }
  return isFooter(tail, header, secrets) ? 'changed' : 'truncated';
}

/** A footer ends every pack: what stands there in its place is the middle of one. */
function isFooter(tail: Uint8Array, header: ObjectHeader, secrets: RepositorySecrets): boolean {
  const footer = Buffer.from(tail);
  const agrees = footer.readUInt32LE(0) === footer.readUInt32LE(4) * TABLE_ENTRY_BYTES + TAG_BYTES;
  return agrees || isCommitment(tail, header, secrets);
}

function isCommitment(tail: Uint8Array, header: ObjectHeader, secrets: RepositorySecrets): boolean {
  const { commitment } = deriveObjectKeys(secrets.objectRoots.get(header.generation) ?? secrets.objectRoot, header);
  return Buffer.compare(tail.subarray(COMMITMENT_AT), commitment) === 0;
}

async function readHeader(store: Store, name: string): Promise<ObjectHeader> {
  const head = new Uint8Array(HEADER_BYTES);
  await store.getRange(name, 0, head);
  return decodeHeader(head, name);
}
