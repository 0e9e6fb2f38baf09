import type { HttpHandler } from '../http/routes.ts';
import { attachToControlDomain } from '../pool/attachment.ts';
import { Answered, XapiError } from '../xapi-error.ts';
import { transferHandler } from './transfer.ts';

const PIECE = 1024 * 1024;

/** `GET /export_raw_vdi`: the disk's content from its first to its last byte, without a length. */
export const exportRawVdi: HttpHandler = transferHandler(
  '/export_raw_vdi',
  async ({ exchange, arrival, vdi, task }) => {
    const { pool, host } = arrival;
    const format = exchange.parameter('format') ?? 'raw';
    if (format !== 'raw') {
      await exchange.reply('404 Not Found', {});
      throw new Answered(new XapiError('INTERNAL_ERROR', [`Unknown format ${format}`]));
    }
    await exchange.sendHead('200 OK', {
      'content-type': 'application/octet-stream',
      'content-disposition': `attachment; filename="${pool.db.text('VDI', vdi, 'uuid')}.raw"`,
      'task-id': task,
    });
    const detach = attachToControlDomain(pool, host, vdi, 'RO');
    try {
      const volume = pool.volumeOf(vdi);
      const sums = pool.log.disk(pool.db.text('VDI', vdi, 'uuid'));
      for (let offset = 0; offset < volume.sizeBytes; offset += PIECE) {
        if (pool.tasks.signal(task)?.aborted === true || exchange.socket.destroyed) {
          throw new XapiError('TASK_CANCELLED', [task]);
        }
        const content = await volume.read(offset, Math.min(PIECE, volume.sizeBytes - offset));
        await exchange.send(content);
        sums.httpBytesRead += content.length;
        pool.tasks.progress(task, Math.min(0.99, (offset + content.length) / volume.sizeBytes));
      }
    } finally {
      detach();
    }
    return vdi;
  },
);
