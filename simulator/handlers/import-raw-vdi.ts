import type { HttpHandler } from '../http/routes.ts';
import { attachToControlDomain } from '../pool/attachment.ts';
import type { Pool } from '../pool/pool.ts';
import { Answered, XapiError } from '../xapi-error.ts';
import { assertVdi } from '../xapi/vdi-rules.ts';
import { refreshSpace } from '../xapi/sr.ts';
import { type Range, chunkedRanges, plainRanges } from './raw-body.ts';
import { type Transfer, transferHandler } from './transfer.ts';

const PATH = '/import_raw_vdi';

/** `PUT /import_raw_vdi`: 200 first, then the body; what came of it is in the task. */
export const importRawVdi: HttpHandler = transferHandler(PATH, async (transfer) => {
  const { exchange, arrival, vdi, task } = transfer;
  const { pool } = arrival;
  const encoding = exchange.head.headers.get('transfer-encoding');
  if (encoding !== undefined) {
    await exchange.reply('404 Not Found', {});
    throw new Answered(new XapiError('INTERNAL_ERROR', [`Cannot handle encoding: ${encoding}`]));
  }
  const format = exchange.parameter('format') ?? 'raw';
  if (format !== 'raw') {
    await exchange.reply('404 Not Found', {});
    throw new Answered(new XapiError('INTERNAL_ERROR', [`Unknown format ${format}`]));
  }
  await exchange.sendHead('200 OK', { 'content-type': 'application/octet-stream', 'task-id': task });
  assertVdi(pool, vdi, 'write');
  const detach = attachToControlDomain(pool, arrival.host, vdi, 'RW');
  try {
    const chunked = exchange.parameter('chunked') !== undefined;
    await writeAll(transfer, chunked ? chunkedRanges(exchange) : plainRanges(exchange));
  } finally {
    detach();
    refreshSpace(pool, pool.db.text('VDI', vdi, 'SR'));
  }
  return vdi;
});

async function writeAll(transfer: Transfer, ranges: AsyncGenerator<Range>): Promise<void> {
  const { exchange, arrival, vdi, task } = transfer;
  const { pool } = arrival;
  const volume = pool.volumeOf(vdi);
  const sums = pool.log.disk(pool.db.text('VDI', vdi, 'uuid'));
  let left = exchange.cutAfterBytes ?? Number.POSITIVE_INFINITY;
  for await (const { offset, data } of ranges) {
    assertGoingOn(pool, task);
    const part = data.subarray(0, Math.min(left, data.length));
    await volume.write(offset, part).catch(() => {
      // Out of space, off the end, gone: the subprocess that writes knows only that it could not.
      throw new XapiError('VDI_IO_ERROR', ['Device I/O errors']);
    });
    sums.httpBytesWritten += part.length;
    pool.tasks.progress(task, Math.min(0.99, (offset + part.length) / volume.sizeBytes));
    left -= part.length;
    if (left <= 0) {
      exchange.socket.destroy();
      throw new XapiError('VDI_IO_ERROR', ['Device I/O errors']);
    }
  }
}

function assertGoingOn(pool: Pool, task: string): void {
  if (pool.tasks.signal(task)?.aborted === true) {
    throw new XapiError('TASK_CANCELLED', [task]);
  }
}
