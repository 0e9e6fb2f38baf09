import { createCipheriv, createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from '../pool/pool.ts';
import type { Volume } from '../storage/volume.ts';
import { refreshSpace } from '../xapi/sr.ts';
import { ControlError, type ControlRequest, findObject, optionalNumber, requiredNumber } from './control-request.ts';
import type { ControlRoutes } from './control-server.ts';

const PIECE = 1024 * 1024;
const PAUSE_MS = 30_000;

/** Bytes that look random and are the same for the same seed: AES-256-CTR over zeros, its key the seed's SHA-256. */
export function seededBytes(seed: string, length: number): Buffer {
  const cipher = createCipheriv('aes-256-ctr', createHash('sha256').update(seed).digest(), Buffer.alloc(16));
  return cipher.update(Buffer.alloc(length));
}

function contentOf(body: ControlRequest['body']): Buffer {
  if (typeof body['dataBase64'] === 'string') {
    return Buffer.from(body['dataBase64'], 'base64');
  }
  const length = requiredNumber(body['length'], 'length');
  if (typeof body['randomSeed'] === 'string') {
    return seededBytes(body['randomSeed'], length);
  }
  return Buffer.alloc(length, requiredNumber(body['fill'], 'dataBase64, randomSeed or fill'));
}

/** The power states of the VMs that have the disk attached for writing. */
function writers(pool: Pool, vdi: string): string[] {
  const { db } = pool;
  return db
    .list('VDI', vdi, 'VBDs')
    .filter((vbd) => db.flag('VBD', vbd, 'currently_attached') && db.text('VBD', vbd, 'mode') === 'RW')
    .map((vbd) => db.text('VM', db.text('VBD', vbd, 'VM'), 'power_state'));
}

/** A paused guest's writes wait until it goes on. */
async function isRunning(pool: Pool, vdi: string): Promise<boolean> {
  const deadline = Date.now() + PAUSE_MS;
  while (writers(pool, vdi).includes('Paused') && Date.now() < deadline) {
    await sleep(5);
  }
  return writers(pool, vdi).includes('Running');
}

async function write({ simulator, path, body }: ControlRequest): Promise<object> {
  const { pool, ref } = findObject(simulator, 'VDI', path['uuid']);
  if (body['force'] !== true && !(await isRunning(pool, ref))) {
    throw new ControlError(409, 'no running VM has this disk; pass "force": true to write all the same');
  }
  const offset = requiredNumber(body['offset'], 'offset');
  const content = contentOf(body);
  if (offset + content.length > pool.volumeOf(ref).sizeBytes) {
    throw new ControlError(400, 'that is beyond the end of the disk');
  }
  await pool.volumeOf(ref).write(offset, content);
  refreshSpace(pool, pool.db.text('VDI', ref, 'SR'));
  simulator.log.add('guest-write', { vdi: path['uuid'] ?? '', offset, length: content.length });
  return { written: content.length };
}

async function digest(volume: Volume): Promise<string> {
  const hash = createHash('sha256');
  for (let offset = 0; offset < volume.sizeBytes; offset += PIECE) {
    hash.update(await volume.read(offset, Math.min(PIECE, volume.sizeBytes - offset)));
  }
  return hash.digest('hex');
}

export const diskRoutes: ControlRoutes = {
  'POST /vdis/:uuid/write': write,
  'GET /vdis/:uuid/digest': async ({ simulator, path }) => {
    const { pool, ref } = findObject(simulator, 'VDI', path['uuid']);
    const volume = pool.volumeOf(ref);
    return { sha256: await digest(volume), sizeBytes: volume.sizeBytes };
  },
  'GET /vdis/:uuid/content': async ({ simulator, path, query }) => {
    const { pool, ref } = findObject(simulator, 'VDI', path['uuid']);
    const volume = pool.volumeOf(ref);
    const offset = optionalNumber(query.get('offset'), 'offset') ?? 0;
    const length = optionalNumber(query.get('length'), 'length') ?? Math.min(PIECE, volume.sizeBytes - offset);
    return await volume.read(offset, length);
  },
};
