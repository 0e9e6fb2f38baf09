import { AppError, isAppError } from '../../kernel/errors.ts';
import { isUuid } from '../../kernel/ids.ts';
import { corrupt, OBJECT_KIND } from '../format/header.ts';
import { uuidToObjectId } from '../format/ids.ts';
import { pointName } from '../format/names.ts';
import { openObject, sealObject } from '../format/sealed-object.ts';
import type { RepositorySecrets } from '../keys/key-schedule.ts';
import type { Store } from '../ports/store.ts';
import type { DiskManifest, Point, PointSummary } from '../types.ts';

const LENGTH_BYTES = 4;

interface StoredPoint {
  readonly summary: PointSummary;
  readonly disks: readonly DiskManifest[];
}

/** Restore points and tombstones: whichever is first at a point's name stands for ever. */
export class PointStore {
  readonly #store: Store;
  readonly #secrets: RepositorySecrets;

  constructor(store: Store, secrets: RepositorySecrets) {
    this.#store = store;
    this.#secrets = secrets;
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
    const outcome = await this.#store.putIfAbsent(pointName(summary.pointId), [sealed]);
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
    const sealed = sealObject(OBJECT_KIND.tombstone, id, new Uint8Array(0), this.#secrets);
    const outcome = await this.#store.putIfAbsent(pointName(pointId), [sealed]);
    await this.#store.flush();
    return outcome === 'created' || (await this.find(pointId)) === 'tombstone' ? 'fenced' : 'committed';
  }

  async find(pointId: string): Promise<Point | 'tombstone' | null> {
    const id = uuidToObjectId(pointId, 'point');
    const name = pointName(pointId);
    let data: Uint8Array;
    try {
      data = await this.#store.get(name);
    } catch (error) {
      if (isAppError(error, 'VAULT_OBJECT_MISSING')) {
        return null;
      }
      throw error;
    }
    const kinds = [OBJECT_KIND.point, OBJECT_KIND.tombstone];
    const { kind, payload } = openObject(data, name, { id, kinds }, this.#secrets);
    return kind === OBJECT_KIND.tombstone ? 'tombstone' : decodePoint(payload, name);
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

  /** `onDamaged` is told of objects that are no point any more, and the list goes on; without it they end the list. */
  async *list(onDamaged?: (pointId: string, error: AppError) => void): AsyncIterable<Point> {
    const prefix = pointName('');
    for await (const { name } of this.#store.list(prefix)) {
      const pointId = name.slice(prefix.length);
      // A store is a folder that others can reach too: what has no name of ours is none of ours.
      const found = isUuid(pointId) ? await this.#findOrTell(pointId, onDamaged) : null;
      if (found !== null && found !== 'tombstone') {
        yield found;
      }
    }
  }

  async #findOrTell(
    pointId: string,
    onDamaged?: (pointId: string, error: AppError) => void,
  ): Promise<Point | 'tombstone' | null> {
    try {
      return await this.find(pointId);
    } catch (error) {
      if (onDamaged === undefined || !isAppError(error, 'VAULT_CORRUPT', 'VAULT_FORMAT_UNKNOWN', 'BAD_INPUT')) {
        throw error;
      }
      onDamaged(pointId, error);
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
