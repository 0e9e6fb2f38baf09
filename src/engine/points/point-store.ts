import type { Clock } from '../../kernel/clock.ts';
import { AppError, isAppError } from '../../kernel/errors.ts';
import { isUuid } from '../../kernel/ids.ts';
import { corrupt, HEADER_BYTES, OBJECT_KIND } from '../format/header.ts';
import { uuidToObjectId } from '../format/ids.ts';
import { pointName } from '../format/names.ts';
import { FOOTER_BYTES } from '../format/pack-builder.ts';
import { TAG_BYTES } from '../format/seal.ts';
import { openObject, sealObject } from '../format/sealed-object.ts';
import { MAX_BYTES, requireReadable } from '../format/size-limits.ts';
import type { RepositorySecrets } from '../keys/key-schedule.ts';
import type { Store } from '../ports/store.ts';
import type { DiskManifest } from '../manifest/manifest-types.ts';
import type { Point, PointSummary } from './point-types.ts';
import { isDamage, nullIfDamaged } from '../verify/diagnose.ts';
import { CustodyLog } from './custody-log.ts';

const LENGTH_BYTES = 4;
const TIME_BYTES = 8;
/** No restore point is as short: lists need not open tombstones, of which there may be many. */
const TOMBSTONE_BYTES = HEADER_BYTES + TIME_BYTES + TAG_BYTES + FOOTER_BYTES;

interface StoredPoint {
  readonly summary: PointSummary;
  readonly disks: readonly DiskManifest[];
}

/** Ids, by the length of what lies there. */
export interface ListedPoints {
  readonly points: ReadonlySet<string>;
  readonly tombstones: ReadonlySet<string>;
}

/** What lies at a point's name. A point may have been deleted, and wait for those who still read it. */
export type FoundPoint =
  | { readonly kind: 'point'; readonly point: Point }
  | { readonly kind: 'tombstone'; readonly fencedAt: number };

/**
 * Restore points and tombstones: whichever is first at a point's name decides. A point that was deleted (`custody` says
 * so) is none any more, for whoever asks here.
 */
export class PointStore {
  readonly custody: CustodyLog;
  readonly #store: Store;
  readonly #secrets: RepositorySecrets;
  readonly #clock: Clock;

  constructor(store: Store, secrets: RepositorySecrets, clock: Clock) {
    this.custody = new CustodyLog(store, secrets);
    this.#store = store;
    this.#secrets = secrets;
    this.#clock = clock;
  }

  /** The point as it stands after that: this one, or one of the same session that came before. */
  async put(point: Point): Promise<Point> {
    const { summary, config, disks } = point;
    const json = Buffer.from(JSON.stringify({ summary, disks } satisfies StoredPoint), 'utf8');
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt32LE(json.length);
    const payload = Buffer.concat([length, json, config]);
    const id = uuidToObjectId(summary.pointId, 'point');
    const sealed = sealObject(OBJECT_KIND.point, id, payload, this.#secrets);
    requireReadable(pointName(summary.pointId), sealed, MAX_BYTES.point);
    const locked = summary.lockedUntil === undefined ? {} : { retainUntil: summary.lockedUntil };
    const outcome = await this.#store.putIfAbsent(pointName(summary.pointId), [sealed], locked);
    await this.#store.flush();
    if (outcome === 'created') {
      return point;
    }
    const stands = await this.find(summary.pointId);
    if (stands === 'tombstone' || stands === null) {
      throw new AppError('SESSION_FENCED', `Restore point ${summary.pointId} was fenced before it was committed.`);
    }
    if (stands.summary.sessionId !== summary.sessionId) {
      throw new AppError('VAULT_OBJECT_EXISTS', `Restore point ${summary.pointId} was committed by another session.`);
    }
    return stands;
  }

  async fence(pointId: string): Promise<'fenced' | 'committed'> {
    const id = uuidToObjectId(pointId, 'point');
    const at = Buffer.alloc(TIME_BYTES);
    at.writeBigUInt64LE(BigInt(this.#clock.now()));
    const sealed = sealObject(OBJECT_KIND.tombstone, id, at, this.#secrets);
    const outcome = await this.#store.putIfAbsent(pointName(pointId), [sealed]);
    await this.#store.flush();
    return outcome === 'created' || (await this.find(pointId)) === 'tombstone' ? 'fenced' : 'committed';
  }

  /**
   * Points of which custody says that they are to be there, and that are not: somebody removed them who did not ask it,
   * and a tombstone may have taken the place. `there` is what a list has shown that is no tombstone.
   */
  async *removed(there: ReadonlySet<string>): AsyncIterable<string> {
    for (const pointId of await this.custody.pointIds()) {
      if (!there.has(pointId) && (await this.custody.isKept(pointId))) {
        const found = await nullIfDamaged(this.findObject(pointId));
        // Once more: it may have been deleted, and gone, in between.
        if (found?.kind !== 'point' && (await this.custody.isKept(pointId))) {
          yield pointId;
        }
      }
    }
  }

  /** 'tombstone' also where the point was deleted: it is decided, and not there. */
  async find(pointId: string): Promise<Point | 'tombstone' | null> {
    if ((await this.#deletedAt(pointId)) !== null) {
      return 'tombstone';
    }
    const found = await this.findObject(pointId);
    return found?.kind === 'point' ? found.point : (found?.kind ?? null);
  }

  /** What nobody can read deletes nothing: with damaged custody a point is there, to be read and never to be deleted. */
  async #deletedAt(pointId: string): Promise<number | null> {
    try {
      return (await this.custody.read(pointId)).deletedAt;
    } catch (error) {
      if (isDamage(error)) {
        return null;
      }
      throw error;
    }
  }

  /** What is at the name, deleted or not. */
  async findObject(pointId: string): Promise<FoundPoint | null> {
    const id = uuidToObjectId(pointId, 'point');
    const name = pointName(pointId);
    let data: Uint8Array;
    try {
      data = await this.#store.get(name, { maxBytes: MAX_BYTES.point });
    } catch (error) {
      if (isAppError(error, 'VAULT_OBJECT_MISSING')) {
        return null;
      }
      throw error;
    }
    const kinds = [OBJECT_KIND.point, OBJECT_KIND.tombstone];
    const { kind, payload } = openObject(data, name, { id, kinds }, this.#secrets);
    return kind === OBJECT_KIND.point
      ? { kind: 'point', point: decodePoint(payload, name) }
      : { kind: 'tombstone', fencedAt: Number(payload.readBigUInt64LE(0)) };
  }

  async get(pointId: string): Promise<Point> {
    const found = await this.find(pointId);
    if (found === null || found === 'tombstone') {
      throw new AppError('NO_RESTORE_POINT', `Restore point ${pointId} is not in this vault.`, {
        hint: 'Choose a restore point that the vault lists.',
      });
    }
    return found;
  }

  /**
   * `onDamaged` is told of objects that don't open, and the list goes on; without it they end the list. A point of which
   * only the custody is damaged is told, and in the list.
   */
  async *list(onDamaged?: (pointId: string, error: AppError) => void): AsyncIterable<Point> {
    const tell = (pointId: string, error: unknown): void => {
      if (onDamaged === undefined || !(isDamage(error) || isAppError(error, 'BAD_INPUT'))) {
        throw error;
      }
      onDamaged(pointId, error);
    };
    const { points: ids } = await this.listed();
    const deleted = await this.custody.findDeleted(ids, tell);
    for (const pointId of ids) {
      const found = deleted.has(pointId) ? null : await this.#findOrTell(pointId, tell);
      if (found?.kind === 'point') {
        yield found.point;
      }
    }
  }

  /** What lies there, also points that were deleted; by its length: what is no tombstone inside may be among them. */
  async listed(): Promise<ListedPoints> {
    const listed = { points: new Set<string>(), tombstones: new Set<string>() };
    const prefix = pointName('');
    for await (const { name, sizeBytes } of this.#store.list(prefix)) {
      const pointId = name.slice(prefix.length);
      // A store is a folder that others can reach too: what has no name of ours is none of ours.
      if (isUuid(pointId)) {
        (sizeBytes === TOMBSTONE_BYTES ? listed.tombstones : listed.points).add(pointId);
      }
    }
    return listed;
  }

  async #findOrTell(pointId: string, tell: (pointId: string, error: unknown) => void): Promise<FoundPoint | null> {
    try {
      return await this.findObject(pointId);
    } catch (error) {
      tell(pointId, error);
      return null;
    }
  }
}

function decodePoint(payload: Buffer, name: string): Point {
  const length = payload.length < LENGTH_BYTES ? Infinity : payload.readUInt32LE(0);
  if (LENGTH_BYTES + length > payload.length) {
    throw corrupt(name, 'is no restore point inside');
  }
  const json = payload.toString('utf8', LENGTH_BYTES, LENGTH_BYTES + length);
  const { summary, disks } = JSON.parse(json) as StoredPoint;
  return { summary, disks, config: new Uint8Array(payload.subarray(LENGTH_BYTES + length)) };
}
