import type { Exchange } from '../http/exchange.ts';
import type { Arrival, HttpHandler } from '../http/routes.ts';
import { XapiError } from '../xapi-error.ts';
import { authenticate } from './authentication.ts';

/** A data handler's request that was let in, on a host that can serve it. */
export interface Transfer {
  readonly exchange: Exchange;
  readonly arrival: Arrival;
  /** A VDI reference. */
  readonly vdi: string;
  readonly task: string;
}

/**
 * Wraps a raw-disk handler: lets the request in, sends it on to another host where this one does not see the disk,
 * gives it a task, and settles that task with the handler's outcome.
 */
export function transferHandler(path: string, work: (transfer: Transfer) => Promise<string>): HttpHandler {
  return async (exchange, arrival) => {
    exchange.close = true;
    const { pool } = arrival;
    const entry = await authenticate(exchange, pool, path, 'vm-admin');
    if (entry === undefined) {
      return;
    }
    try {
      const vdi = await locate(exchange, arrival);
      if (vdi !== undefined) {
        await settle({ exchange, arrival, vdi, task: taskOf(exchange, arrival, path) }, path, work);
      }
    } finally {
      entry.leave();
    }
  };
}

async function locate(exchange: Exchange, arrival: Arrival): Promise<string | undefined> {
  const { pool, host } = arrival;
  const asked = exchange.parameter('vdi') ?? '';
  const vdi = pool.findVdi(asked);
  if (vdi === undefined) {
    const failure = new XapiError('HANDLE_INVALID', ['VDI', asked]);
    const task = exchange.parameter('task_id');
    if (task !== undefined) {
      pool.tasks.fail(task, failure);
    }
    throw failure;
  }
  const sr = pool.db.text('VDI', vdi, 'SR');
  if (pool.sees(host, sr)) {
    return vdi;
  }
  const other = pool.hosts.find((each) => each.alive && pool.sees(each, sr));
  if (other === undefined) {
    throw new XapiError('SR_NOT_ATTACHED', [sr]);
  }
  const authority = pool.settings.redirectWithPort ? `${other.address}:${arrival.port}` : other.address;
  const location = `https://${authority}${exchange.head.path}?${exchange.head.query.toString()}`;
  pool.log.add('redirect', { pool: pool.name, host: host.uuid, to: other.uuid });
  await exchange.reply('302 Found', { location });
  return undefined;
}

function taskOf(exchange: Exchange, arrival: Arrival, path: string): string {
  const { pool, host } = arrival;
  const given = exchange.parameter('task_id');
  if (given !== undefined && pool.db.has('task', given)) {
    return given;
  }
  const parent = exchange.parameter('subtask_of');
  const known = parent !== undefined && pool.db.has('task', parent) ? { parent } : {};
  return pool.tasks.create(path.slice(1), '', { hostRef: host.ref, ...known });
}

async function settle(transfer: Transfer, path: string, work: (transfer: Transfer) => Promise<string>): Promise<void> {
  const { exchange, arrival, task } = transfer;
  const { pool, host } = arrival;
  const disk = pool.db.text('VDI', transfer.vdi, 'uuid');
  const where = { pool: pool.name, host: host.uuid, vdi: disk };
  const fault = await pool.faults.meet({ kind: 'handler', handler: path, ...where });
  exchange.cutAfterBytes = fault?.cutAfterBytes;
  if (fault?.status !== undefined) {
    await exchange.reply(`${fault.status} Ordered`, { 'content-type': 'text/html' });
    return;
  }
  try {
    const [code, ...params] = fault?.error ?? [];
    if (code !== undefined) {
      throw new XapiError(code, params);
    }
    pool.tasks.succeed(task, await work(transfer), 'VDI ref');
  } catch (error) {
    pool.tasks.fail(task, toTransferError(error));
    throw error;
  }
}

/** What the subprocess that moves the bytes reports when they stop coming, or don't fit. */
function toTransferError(error: unknown): XapiError {
  return error instanceof XapiError ? error : new XapiError('VDI_IO_ERROR', ['Device I/O errors']);
}
