import { parentPort, workerData, type Transferable } from 'node:worker_threads';
import { AppError, toAppError } from '../../kernel/errors.ts';
import { limit } from '../../kernel/limit.ts';
import { BlockHasher } from '../chunking/block-hasher.ts';
import { toCutRules } from '../chunking/cutter.ts';
import { ChunkWriter } from './chunk-writer.ts';
import { cutSegment } from './cut-segment.ts';
import { decodeFrames } from './decode-frames.ts';
import { StretchHasher } from './stretch-hasher.ts';
import type {
  FoundPlaces,
  FromWorker,
  NewPack,
  SegmentDone,
  SegmentTask,
  TaskDone,
  ToWorker,
  WorkerSetup,
  WriteKey,
  WriteTables,
} from './protocol.ts';

const setup = workerData as WorkerSetup;
const port = parentPort;
const hasher = new BlockHasher(setup.lane.memory, setup.secrets.chunkSeed);
const stretches = new StretchHasher(setup.lane);
const rules = toCutRules(setup.parameters);
/** A task that waits for memory or an answer is not overtaken by the next. */
const turn = limit(1);

let writer: ChunkWriter | null = null;
let dropped = false;
let waiting: { give(answer: NewPack | FoundPlaces): void; refuse(error: Error): void } | null = null;

function post(message: FromWorker, transfer: Transferable[] = []): void {
  port?.postMessage(message, transfer);
}

function beginWrite(tables: WriteTables, key: WriteKey): void {
  dropped = false;
  writer = new ChunkWriter({ ...setup.secrets, ...key }, tables, {
    nextPack: () => ask<NewPack>({ type: 'need-buffer' }),
    lookUp: (digests) => ask<FoundPlaces>({ type: 'look-up', digests }),
    sealed: (pack) => {
      post({ type: 'pack', pack }, [pack.buffer]);
    },
  });
}

/** One question at a time; a write that is given up refuses it. */
function ask<T extends NewPack | FoundPlaces>(question: FromWorker): Promise<T> {
  return new Promise((resolve, refuse) => {
    if (dropped) {
      refuse(givenUp());
      return;
    }
    waiting = { give: (given) => resolve(given as T), refuse };
    post(question);
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

function giveAnswer(given: NewPack | FoundPlaces): void {
  const asked = waiting;
  waiting = null;
  asked?.give(given);
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

function begunWriter(): ChunkWriter {
  if (writer === null) {
    throw givenUp();
  }
  return writer;
}

/** What was asked for after a task that failed must not go on with what that one left. */
async function cut(task: SegmentTask): Promise<SegmentDone> {
  const open = begunWriter();
  try {
    return await cutSegment({ lane: setup.lane, hasher, rules, writer: open }, task);
  } catch (error) {
    dropWrite();
    throw error;
  }
}

type Task = Exclude<ToWorker, { type: 'buffer' | 'places' | 'drop-write' }>;

async function handle(message: Task): Promise<TaskDone> {
  switch (message.type) {
    case 'begin-write':
      beginWrite(message.tables, message.key);
      break;
    case 'segment':
      return { segment: await cut(message.task) };
    case 'end-write':
      begunWriter().finish();
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
    giveAnswer(message.pack);
  } else if (message.type === 'places') {
    giveAnswer(message.found);
  } else if (message.type === 'drop-write') {
    dropWrite();
  } else {
    void turn(() => answer(() => handle(message)));
  }
});
