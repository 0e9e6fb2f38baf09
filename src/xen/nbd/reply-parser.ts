import { SIMPLE_REPLY_BYTES, SIMPLE_REPLY_MAGIC } from './constants.ts';

export interface ReplyTarget {
  /** Null: the payload is dropped. */
  readonly into: Uint8Array | null;
  readonly length: number;
}

export interface ReplyEvents {
  targetOf(handle: bigint): ReplyTarget | undefined;
  done(handle: bigint): void;
  /** The stream can't be followed any further. */
  failed(why: string): void;
}

/** Cuts a stream of simple replies to reads and puts each payload where it belongs, in one copy. */
export class ReplyParser {
  readonly #events: ReplyEvents;
  readonly #header = Buffer.alloc(SIMPLE_REPLY_BYTES);
  #headerBytes = 0;
  #handle = 0n;
  #bodyAt = 0;
  #bodyBytes = 0;
  #dead = false;

  constructor(events: ReplyEvents) {
    this.#events = events;
  }

  feed(data: Buffer): void {
    let at = 0;
    while (at < data.length && !this.#dead) {
      at = this.#headerBytes < SIMPLE_REPLY_BYTES ? this.#takeHeader(data, at) : this.#takeBody(data, at);
    }
  }

  #takeHeader(data: Buffer, at: number): number {
    const taken = data.copy(this.#header, this.#headerBytes, at, at + SIMPLE_REPLY_BYTES - this.#headerBytes);
    this.#headerBytes += taken;
    if (this.#headerBytes === SIMPLE_REPLY_BYTES) {
      this.#begin();
    }
    return at + taken;
  }

  #begin(): void {
    const error = this.#header.readUInt32BE(4);
    this.#handle = this.#header.readBigUInt64BE(8);
    const target = this.#events.targetOf(this.#handle);
    if (this.#header.readUInt32BE(0) !== SIMPLE_REPLY_MAGIC || target === undefined) {
      this.#fail('the server sent what is no reply to a request of ours');
    } else if (error !== 0) {
      this.#fail(`the server answered a read with error ${error}`);
    } else {
      this.#bodyAt = 0;
      this.#bodyBytes = target.length;
    }
  }

  #takeBody(data: Buffer, at: number): number {
    const taken = Math.min(data.length - at, this.#bodyBytes - this.#bodyAt);
    // Looked up anew each time: the reader may have given up between two pieces.
    this.#events.targetOf(this.#handle)?.into?.set(data.subarray(at, at + taken), this.#bodyAt);
    this.#bodyAt += taken;
    if (this.#bodyAt === this.#bodyBytes) {
      this.#headerBytes = 0;
      this.#events.done(this.#handle);
    }
    return at + taken;
  }

  #fail(why: string): void {
    this.#dead = true;
    this.#events.failed(why);
  }
}
