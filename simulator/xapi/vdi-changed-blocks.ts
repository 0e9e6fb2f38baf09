import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from '../pool/pool.ts';
import type { Call, Handlers } from '../rpc/call.ts';
import { XapiError } from '../xapi-error.ts';
import { dropAttachments, dropContent } from './disks.ts';
import { refreshSpace } from './sr.ts';
import { assertVdi, withVdiOperation } from './vdi-rules.ts';

/** How long `data_destroy` waits for attachments to go. */
const DETACH_WAIT_MS = 4000;

function assertTrackable(pool: Pool, vdi: string): void {
  const { db } = pool;
  if (db.flag('VDI', vdi, 'is_a_snapshot')) {
    throw new XapiError('OPERATION_NOT_ALLOWED', [`VDI is a snapshot: ${vdi}`]);
  }
  const type = db.text('VDI', vdi, 'type');
  if (type !== 'user' && type !== 'system') {
    throw new XapiError('VDI_INCOMPATIBLE_TYPE', [vdi, type]);
  }
  if (!supportsTracking(pool, db.text('VDI', vdi, 'SR'))) {
    throw new XapiError('SR_OPERATION_NOT_SUPPORTED', [db.text('VDI', vdi, 'SR')]);
  }
}

function supportsTracking(pool: Pool, sr: string): boolean {
  const type = pool.db.text('SR', sr, 'type');
  const driver = pool.db.rows('SM').find(([, row]) => row['type'] === type)?.[0];
  return driver !== undefined && 'VDI_CONFIG_CBT' in pool.db.map('SM', driver, 'features');
}

function enable(call: Call): string {
  const { pool } = call;
  const vdi = call.text(0);
  assertTrackable(pool, vdi);
  if (pool.db.map('host', pool.coordinator.ref, 'license_params')['restrict_cbt'] === 'true') {
    throw new XapiError('LICENCE_RESTRICTION', ['CBT']);
  }
  assertVdi(pool, vdi, 'enable_cbt');
  pool.repositoryOf(vdi).tracking.enable(pool.db.text('VDI', vdi, 'uuid'), pool.volumeOf(vdi).sizeBytes);
  pool.db.set('VDI', vdi, { cbt_enabled: true });
  return '';
}

function disable(call: Call): string {
  const { pool } = call;
  const vdi = call.text(0);
  assertTrackable(pool, vdi);
  assertVdi(pool, vdi, 'disable_cbt');
  pool.repositoryOf(vdi).tracking.remove(pool.db.text('VDI', vdi, 'uuid'));
  pool.db.set('VDI', vdi, { cbt_enabled: false });
  return '';
}

async function dataDestroy(call: Call): Promise<string> {
  const { pool } = call;
  const { db } = pool;
  const vdi = call.text(0);
  if (!db.flag('VDI', vdi, 'is_a_snapshot')) {
    throw new XapiError('OPERATION_NOT_ALLOWED', [`VDI is not a snapshot: ${vdi}`]);
  }
  if (!db.flag('VDI', vdi, 'cbt_enabled')) {
    throw new XapiError('VDI_NO_CBT_METADATA', [vdi]);
  }
  await withVdiOperation(call, vdi, 'data_destroy', async () => {
    await waitForDetach(pool, vdi);
    await dropContent(pool, vdi);
    dropAttachments(pool, vdi);
    db.set('VDI', vdi, { type: 'cbt_metadata', physical_utilisation: 0 });
  });
  refreshSpace(pool, db.text('VDI', vdi, 'SR'));
  return '';
}

async function waitForDetach(pool: Pool, vdi: string): Promise<void> {
  const deadline = Date.now() + DETACH_WAIT_MS;
  while (pool.db.list('VDI', vdi, 'VBDs').some((vbd) => pool.db.flag('VBD', vbd, 'currently_attached'))) {
    if (Date.now() >= deadline) {
      throw new XapiError('VDI_IN_USE', [vdi, 'data_destroy']);
    }
    await sleep(20);
  }
}

function listChanged(call: Call): string {
  const { pool } = call;
  const [from, to] = [call.text(0), call.text(1)];
  assertVdi(pool, from, 'list_changed_blocks');
  assertVdi(pool, to, 'list_changed_blocks');
  const uuid = (vdi: string): string => pool.db.text('VDI', vdi, 'uuid');
  return pool.repositoryOf(to).tracking.between(uuid(from), uuid(to)).toString('base64');
}

export const blockHandlers: Handlers = {
  'VDI.enable_cbt': enable,
  'VDI.disable_cbt': disable,
  'VDI.data_destroy': dataDestroy,
  'VDI.list_changed_blocks': listChanged,
};
