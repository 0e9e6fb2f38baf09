import type { Duplex } from 'node:stream';
import type { Host } from '../pool/host.ts';
import type { Pool } from '../pool/pool.ts';
import type { Export } from './transmission.ts';

/** `/<vdi uuid>?session_id=<ref>`: the disk that an export's name stands for, or undefined where it may not be read. */
export function findExport(pool: Pool, host: Host, name: string): string | undefined {
  const match = /^\/?([0-9a-f-]{36})\?session_id=(.+)$/.exec(name);
  const vdi = match === null ? undefined : pool.db.findByUuid('VDI', match[1] ?? '');
  if (vdi === undefined || !pool.sessions.has(match?.[2] ?? '') || !pool.volumes.has(vdi)) {
    return undefined;
  }
  return pool.sees(host, pool.db.text('VDI', vdi, 'SR')) ? vdi : undefined;
}

/** A disk as one NBD session reads it: every read is logged, and may meet a fault. */
export function openExport(pool: Pool, host: Host, vdi: string, socket: Duplex): Export {
  const volume = pool.volumeOf(vdi);
  const uuid = pool.db.text('VDI', vdi, 'uuid');
  const occasion = { kind: 'nbd-read', pool: pool.name, host: host.uuid, vdi: uuid } as const;
  let left = Number.POSITIVE_INFINITY;
  return {
    sizeBytes: volume.sizeBytes,
    async read(offset, length) {
      const fault = await pool.faults.meet(occasion);
      if (fault?.nbdError !== undefined) {
        return fault.nbdError;
      }
      left = fault?.cutAfterBytes ?? left;
      const content = await volume.read(offset, length);
      pool.log.add('nbd-read', { pool: pool.name, host: host.uuid, vdi: uuid, offset, length });
      const sums = pool.log.disk(uuid);
      sums.nbdReads += 1;
      sums.nbdBytesRead += length;
      return content;
    },
    async send(bytes) {
      const part = bytes.subarray(0, Math.min(left, bytes.length));
      left -= part.length;
      await sendAll(socket, part);
      if (left <= 0) {
        socket.destroy();
      }
    },
  };
}

async function sendAll(socket: Duplex, bytes: Buffer): Promise<void> {
  if (socket.destroyed || socket.write(bytes)) {
    return;
  }
  await new Promise<void>((resolve) => {
    const done = (): void => {
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    socket.on('drain', done);
    socket.on('close', done);
  });
}
