import { parentPort, workerData, type Transferable } from 'node:worker_threads';
import { AppError, toAppError } from '../../kernel/errors.ts';
import { BlockHasher } from '../chunking/block-hasher.ts';
import { toCutRules } from '../chunking/cutter.ts';
import { ChunkWriter } from './chunk-writer.ts';
import { cutSegment } from './cut-segment.ts';
import { decodeFrames } from './decode-frames.ts';
import { StretchHasher } from './stretch-hasher.ts';
import type { FromWorker, NewPack, TaskDone, ToWorker, WorkerSetup, WriteKey, WriteTables } from './protocol.ts';

const setup = workerData as WorkerSetup;
const port = parentPort;
const hasher = new BlockHasher(setup.lane.memory, setup.secrets.chunkSeed);
const stretches = new StretchHasher(setup.lane);
const rules = toCutRules(setup.parameters);

let writer: ChunkWriter | null = null;
let dropped = false;
let waiting: { give(pack: NewPack): void; refuse(error: Error): void } | null = null;

function post(message: FromWorker, transfer: Transferable[] = []): void {
  port?.postMessage(message, transfer);
}

function beginWrite(tables: WriteTables, key: WriteKey): void {
  dropped = false;
  writer = new ChunkWriter({ ...setup.secrets, ...key }, tables, {
    nextPack: () =>
      new Promise((give, refuse) => {
        if (dropped) {
          refuse(givenUp());
          return;
        }
        waiting = { give, refuse };
        post({ type: 'need-buffer' });
      }),
    sealed: (pack) => {
      post({ type: 'pack', pack }, [pack.buffer]);
    },
  });
}

async function answer(work: () => Promise<TaskDone>): Promise<void> {
  try {
    post({ type: 'done', done: await work() });
  } catch (error) {
    const { code, message, hint, data, stack } = toAppError(error);
    post({ type: 'failed', error: { code, message, hint, data, stack } });
  }
}

function dropWrite(): void {
  dropped = true;
  writer = null;
  waiting?.refuse(givenUp());
  waiting = null;
}

function givenUp(): AppError {
  return new AppError('CANCELLED', 'The write was given up.');
}

type Task = Exclude<ToWorker, { type: 'buffer' | 'drop-write' }>;

async function handle(message: Task): Promise<TaskDone> {
  switch (message.type) {
    case 'begin-write':
      beginWrite(message.tables, message.key);
      break;
    case 'segment':
      if (writer === null) {
        throw givenUp();
      }
      return { segment: await cutSegment({ lane: setup.lane, hasher, rules, writer }, message.task) };
    case 'end-write':
      writer?.finish();
      writer = null;
      break;
    case 'decode':
      decodeFrames(setup.lane, setup.secrets.digestKey, message.task);
      break;
    case 'hash':
      return { digest: stretches.hash(message.task) };
  }
  return {};
}

port?.on('message', (message: ToWorker) => {
  if (message.type === 'buffer') {
    waiting?.give(message.pack);
    waiting = null;
  } else if (message.type === 'drop-write') {
    dropWrite();
  } else {
    void answer(() => handle(message));
  }
});
