import { randomUUID } from 'node:crypto';
import { EPOCH, type Row, asNumber, asText, toDatetime } from '../model/values.ts';
import type { Pool } from '../pool/pool.ts';
import type { Volume } from '../storage/volume.ts';
import { XapiError, noSpace, storageError } from '../xapi-error.ts';
import { refreshSpace } from './sr.ts';

/** VHD disks are multiples of this: sm rounds up. */
const ROUNDING = 2 * 1024 * 1024;
const DEEPEST_CHAIN = 30;

function register(pool: Pool, vdi: string, volume: Volume): void {
  const uuid = pool.db.text('VDI', vdi, 'uuid');
  const { tracking } = pool.repositoryOf(vdi);
  volume.onWrite = (first, last) => {
    tracking.record(uuid, first, last);
  };
  pool.volumes.set(vdi, volume);
}

/** A new, empty disk that reads as zeros. */
export function createDisk(pool: Pool, fields: Row): string {
  const sr = asText(fields['SR']);
  pool.db.get('SR', sr);
  const repository = pool.repositories.get(sr);
  if (repository === undefined) {
    throw new XapiError('SR_OPERATION_NOT_SUPPORTED', [sr]);
  }
  const size = Math.ceil(asNumber(fields['virtual_size']) / ROUNDING) * ROUNDING;
  if (size <= 0) {
    throw storageError(79, 'VDI Invalid size');
  }
  if (repository.store.used >= repository.store.capacity) {
    throw noSpace();
  }
  const uuid = randomUUID();
  const vdi = pool.db.create('VDI', {
    ...fields,
    uuid,
    location: uuid,
    virtual_size: size,
    managed: true,
    allowed_operations: ['snapshot', 'clone', 'copy', 'destroy', 'resize', 'enable_cbt'],
  });
  register(pool, vdi, repository.store.create(size));
  refreshSpace(pool, sr);
  return vdi;
}

const COPIED = ['name_label', 'name_description', 'SR', 'virtual_size', 'type', 'sm_config', 'other_config', 'tags'];

/** A disk with the content that another has at this instant: a snapshot of it, or a clone with a life of its own. */
export async function copyDisk(pool: Pool, source: string, kind: 'snapshot' | 'clone'): Promise<string> {
  const { db } = pool;
  const { store, tracking } = pool.repositoryOf(source);
  const from = pool.volumeOf(source);
  if (from.top.depth >= DEEPEST_CHAIN) {
    throw storageError(109, 'The snapshot chain is too long');
  }
  if (store.used >= store.capacity) {
    throw noSpace();
  }
  const uuid = randomUUID();
  const original = db.text('VDI', source, 'uuid');
  const volume = await store.snapshot(from, () => {
    if (kind === 'snapshot') {
      tracking.snapshot(original, uuid);
    }
  });
  const copied = Object.fromEntries(COPIED.map((field) => [field, db.value('VDI', source, field)]));
  const snapshot = kind === 'snapshot';
  const vdi = db.create('VDI', {
    ...copied,
    uuid,
    location: uuid,
    managed: true,
    is_a_snapshot: snapshot,
    snapshot_of: snapshot ? source : 'OpaqueRef:NULL',
    snapshot_time: snapshot ? toDatetime(Date.now()) : EPOCH,
    cbt_enabled: snapshot && db.flag('VDI', source, 'cbt_enabled'),
    allowed_operations: ['clone', 'copy', 'destroy'],
  });
  register(pool, vdi, volume);
  refreshSpace(pool, db.text('VDI', vdi, 'SR'));
  return vdi;
}

/** Removes the content; the record and the tracking log stay. */
export async function dropContent(pool: Pool, vdi: string): Promise<void> {
  const volume = pool.volumes.get(vdi);
  if (volume !== undefined) {
    pool.volumes.delete(vdi);
    await pool.repositoryOf(vdi).store.destroy(volume);
  }
}

export function dropAttachments(pool: Pool, vdi: string): void {
  for (const vbd of pool.db.list('VDI', vdi, 'VBDs')) {
    pool.db.destroy('VBD', vbd);
  }
}

/** Removes everything of a disk. */
export async function removeDisk(pool: Pool, vdi: string): Promise<void> {
  const { db } = pool;
  const sr = db.text('VDI', vdi, 'SR');
  await dropContent(pool, vdi);
  pool.repositoryOf(vdi).tracking.remove(db.text('VDI', vdi, 'uuid'));
  dropAttachments(pool, vdi);
  db.destroy('VDI', vdi);
  refreshSpace(pool, sr);
}
