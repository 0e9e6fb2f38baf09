import type { Socket } from 'node:net';
import { throwIfAborted } from '../kernel/abort.ts';
import { AppError, isAppError } from '../kernel/errors.ts';
import { limit } from '../kernel/limit.ts';
import { readResponseHead } from './response-head.ts';
import { destroyTask, waitForTask } from './task.ts';
import { atHost } from './xapi-address.ts';
import type { XapiConnection } from './xapi-connection.ts';

const FRAME_HEADER_BYTES = 12;
const MAX_REDIRECTS = 3;
const IMPORT_TASK_NAME = 'Holdfast restore';
const describeJob = (jobId: string): string => `job ${jobId}`;
/** How long a pool may take, in milliseconds. A host that has stopped keeps its connections open and says nothing. */
export interface ImportDeadlines {
  /** To answer the request. */
  readonly headMs: number;
  /** To take any of what is sent. */
  readonly stallMs: number;
  /** To say how it ended, once everything has been sent. */
  readonly verdictMs: number;
}

const DEADLINES: ImportDeadlines = { headMs: 60_000, stallMs: 5 * 60_000, verdictMs: 30 * 60_000 };

/** How long the pool may take to say why it hung up. */
const VERDICT_MS = 10_000;
/** The same, where the process that sent the body is thought dead. */
const STALE_MS = 2000;

/**
 * Fills a disk through `/import_raw_vdi` with `chunked`: frames of offset (int64 LE), length (int32 LE) and bytes, ended
 * by an empty frame. The server's 200 comes before the body and means nothing yet; the outcome is the task's. Neither
 * `fetch` nor `undici` can send a body without length and without Transfer-Encoding, which XAPI doesn't take; so
 * the request is written by hand.
 */
export class RawImport {
  bytesWritten = 0;
  readonly #connection: XapiConnection;
  readonly #task: string;
  readonly #socket: Socket;
  #failure: Error | null = null;
  readonly #inTurn = limit(1);
  readonly #deadlines: ImportDeadlines;

  private constructor(
    connection: XapiConnection,
    task: string,
    socket: Socket,
    { deadlines, signal }: { readonly deadlines: ImportDeadlines; readonly signal: AbortSignal | undefined },
  ) {
    this.#deadlines = deadlines;
    const hangUp = (): void => {
      socket.destroy();
    };
    signal?.addEventListener('abort', hangUp, { once: true });
    socket.on('close', () => {
      signal?.removeEventListener('abort', hangUp);
    });
    this.#connection = connection;
    this.#task = task;
    this.#socket = socket;
    socket.on('error', (error) => {
      this.#failure ??= error;
    });
    socket.on('close', () => {
      this.#failure ??= new Error('the connection was closed');
    });
    // Whatever comes after the head is an error page of no use: the task says it better.
    socket.resume();
  }

  static async open(
    connection: XapiConnection,
    {
      vdiUuid,
      jobId,
      deadlines = DEADLINES,
    }: { readonly vdiUuid: string; readonly jobId: string; readonly deadlines?: ImportDeadlines },
    signal?: AbortSignal,
  ): Promise<RawImport> {
    const vdiRef = await connection.getRefByUuid('VDI', vdiUuid, signal);
    const task = await connection.callForString('task.create', [IMPORT_TASK_NAME, describeJob(jobId)], signal);
    try {
      const request = { vdiRef, task, headMs: deadlines.headMs };
      const socket = await openRequest(connection, request, signal);
      return new RawImport(connection, task, socket, { deadlines, signal });
    } catch (error) {
      const verdict = await verdictOf(connection, task, error);
      await abandonTask(connection, task);
      throw verdict;
    }
  }

  /** Sends one range; resolves when the memory may be used again. Calls are queued. */
  async write(offset: number, data: Uint8Array): Promise<void> {
    await this.#inTurn(async () => {
      const header = Buffer.alloc(FRAME_HEADER_BYTES);
      header.writeBigInt64LE(BigInt(offset), 0);
      header.writeInt32LE(data.length, 8);
      this.#socket.write(header);
      await this.#send(data);
      this.bytesWritten += data.length;
    });
  }

  /** Ends the stream and waits for the pool's verdict. Throws SR_FULL, IMPORT_FAILED and others. */
  async finish(signal?: AbortSignal): Promise<void> {
    try {
      await this.#inTurn(async () => this.#send(Buffer.alloc(FRAME_HEADER_BYTES)));
      await this.#waitForVerdict(signal);
    } catch (error) {
      throw await verdictOf(this.#connection, this.#task, error);
    } finally {
      this.#socket.destroy();
      await abandonTask(this.#connection, this.#task);
    }
  }

  async #waitForVerdict(signal: AbortSignal | undefined): Promise<void> {
    const { verdictMs } = this.#deadlines;
    const late = AbortSignal.timeout(verdictMs);
    const patience = signal === undefined ? late : AbortSignal.any([signal, late]);
    try {
      await waitForTask(this.#connection, this.#task, 'Import of a disk', patience);
    } catch (error) {
      throw late.aborted && signal?.aborted !== true
        ? new Error(`the pool did not say how it ended within ${verdictMs / 1000} s`)
        : error;
    }
  }

  /** Hangs up, waits until the pool has let go of the disk, and returns why it failed, as far as the pool knows. */
  async abort(reason: unknown): Promise<AppError> {
    const byUs = isAppError(reason);
    this.#socket.destroy();
    const verdict = byUs ? reason : await verdictOf(this.#connection, this.#task, reason);
    await abandonTask(this.#connection, this.#task);
    return verdict;
  }

  async #send(bytes: Uint8Array): Promise<void> {
    if (this.#failure !== null) {
      throw this.#failure;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#socket.write(bytes, (error) => {
      if (error === undefined || error === null) {
        resolve();
      } else {
        reject(error);
      }
    });
    const onClose = (): void => {
      reject(this.#failure ?? new Error('the connection was closed'));
    };
    this.#socket.once('close', onClose);
    const { stallMs } = this.#deadlines;
    const stalled = new Error(`the pool took nothing for ${stallMs / 1000} s`);
    const late = setTimeout(() => {
      this.#failure ??= stalled;
      reject(stalled);
      this.#socket.destroy();
    }, stallMs);
    try {
      await promise;
    } finally {
      clearTimeout(late);
      this.#socket.off('close', onClose);
    }
  }
}

/** Ends imports of this job that a process which died has left running. */
export async function removeImportTasks(connection: XapiConnection, jobId: string): Promise<void> {
  for (const [ref, task] of await connection.getAllRecords('task')) {
    if (task.name_label === IMPORT_TASK_NAME && task.name_description === describeJob(jobId)) {
      await abandonTask(connection, ref, STALE_MS);
    }
  }
}

/** Sends the head, follows a host that doesn't see the disk to one that does, returns the socket ready for the body. */
async function openRequest(
  connection: XapiConnection,
  { vdiRef, task, headMs }: { readonly vdiRef: string; readonly task: string; readonly headMs: number },
  signal: AbortSignal | undefined,
): Promise<Socket> {
  const query = new URLSearchParams({
    session_id: connection.sessionRef,
    task_id: task,
    vdi: vdiRef,
    format: 'raw',
    chunked: 'true',
  });
  let origin = connection.origin;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
    const socket = await connection.tls.openSocket(origin, signal);
    const hangUp = (): void => {
      socket.destroy();
    };
    signal?.addEventListener('abort', hangUp, { once: true });
    const late = setTimeout(() => socket.destroy(new Error(`no answer within ${headMs / 1000} s`)), headMs);
    try {
      socket.write(
        `PUT /import_raw_vdi?${query.toString()} HTTP/1.1\r\nHost: ${origin.host}\r\nConnection: close\r\n\r\n`,
      );
      const head = await readResponseHead(socket);
      if (head.status === 200) {
        return socket;
      }
      socket.destroy();
      if (head.status !== 302 || head.location === null) {
        throw new AppError('IMPORT_FAILED', `The pool answered the import of a disk with HTTP ${head.status}.`);
      }
      // A redirect names the host by its bare address; the port that the user gave holds for all hosts.
      origin = atHost(connection.origin, new URL(head.location).hostname);
    } catch (error) {
      socket.destroy();
      throwIfAborted(signal);
      throw error;
    } finally {
      clearTimeout(late);
      signal?.removeEventListener('abort', hangUp);
    }
  }
  throw new AppError('IMPORT_FAILED', 'The hosts of the pool sent the import of a disk around in a circle.');
}

/** The task knows better than a broken connection what went wrong. */
async function verdictOf(connection: XapiConnection, task: string, error: unknown): Promise<AppError> {
  if (error instanceof AppError && error.code !== 'IMPORT_FAILED') {
    return toImportError(error);
  }
  try {
    await waitForTask(connection, task, 'Import of a disk', AbortSignal.timeout(VERDICT_MS));
  } catch (verdict) {
    if (verdict instanceof AppError && !isAppError(verdict, 'CANCELLED', 'POOL_UNREACHABLE')) {
      return toImportError(verdict);
    }
  }
  const why = error instanceof Error ? error.message : String(error);
  return error instanceof AppError
    ? error
    : new AppError('IMPORT_FAILED', `Import of a disk: ${why}.`, { cause: error });
}

function toImportError(error: AppError): AppError {
  const { message, data } = error;
  return error.code === 'XAPI_FAILED' ? new AppError('IMPORT_FAILED', message, { data, cause: error }) : error;
}

/** Ends the task, whoever is or isn't working on it, so that nothing of it stays in the pool. */
async function abandonTask(connection: XapiConnection, task: string, patienceMs = VERDICT_MS): Promise<void> {
  try {
    const patience = AbortSignal.timeout(patienceMs);
    await connection.call('task.cancel', [task], patience);
    await waitForTask(connection, task, 'Import of a disk', patience);
  } catch {
    // Over already, or cancelled just now, or nobody works on it: the next step tells.
  }
  await closeTask(connection, task);
  await destroyTask(connection, task);
}

/** A task of ours that no handler has taken up, or whose handler is gone, is ended by nobody else. */
async function closeTask(connection: XapiConnection, task: string): Promise<void> {
  try {
    const patience = AbortSignal.timeout(VERDICT_MS);
    const status = await connection.callForString('task.get_status', [task], patience);
    if (status === 'pending' || status === 'cancelling') {
      await connection.call('task.set_status', [task, 'cancelled'], patience);
    }
  } catch {
    // It is gone, or the pool is: then it expires there.
  }
}
