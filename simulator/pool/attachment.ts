import { setTimeout as sleep } from 'node:timers/promises';
import { XapiError } from '../xapi-error.ts';
import type { Host } from './host.ts';
import type { Pool } from './pool.ts';

/** Detachments that are still to come, for a clean stop. */
const leaving = new Set<Promise<void>>();

/**
 * Attaches a disk to a host's control domain, as every transfer does, and returns what detaches it again: only some
 * time later, so that the disk stays in use for a while after the transfer.
 */
export function attachToControlDomain(pool: Pool, host: Host, vdi: string, mode: 'RO' | 'RW'): () => void {
  const { db } = pool;
  assertAttachable(pool, vdi, mode);
  const vbd = db.create('VBD', {
    VM: host.controlDomain,
    VDI: vdi,
    userdevice: 'autodetect',
    mode,
    type: 'Disk',
    currently_attached: true,
  });
  return () => {
    const detached = detachLater(pool, vbd);
    void detached.finally(() => leaving.delete(detached));
    leaving.add(detached);
  };
}

/** A disk that is attached somewhere for writing can't be read by others, nor written where anybody has it. */
function assertAttachable(pool: Pool, vdi: string, mode: 'RO' | 'RW'): void {
  const { db } = pool;
  const active = db.list('VDI', vdi, 'VBDs').filter((vbd) => db.flag('VBD', vbd, 'currently_attached'));
  if (active.some((vbd) => mode === 'RW' || db.text('VBD', vbd, 'mode') === 'RW')) {
    throw new XapiError('VDI_IN_USE', [vdi, 'attach']);
  }
}

export async function allDetached(): Promise<void> {
  await Promise.all(leaving);
}

async function detachLater(pool: Pool, vbd: string): Promise<void> {
  await sleep(pool.settings.detachDelayMs);
  if (pool.db.has('VBD', vbd)) {
    pool.db.destroy('VBD', vbd);
  }
}
