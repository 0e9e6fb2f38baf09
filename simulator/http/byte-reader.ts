import type { Duplex } from 'node:stream';

/** The other side closed the connection before everything was there. */
export class EndOfStream extends Error {
  override readonly name = 'EndOfStream';
}

/** Reads a socket in exact pieces, with back-pressure. */
export class ByteReader {
  readonly #stream: Duplex;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(stream: Duplex) {
    this.#stream = stream;
    stream.on('readable', this.#onReadable);
    stream.on('end', this.#onEnd);
    stream.on('close', this.#onEnd);
    stream.on('error', this.#onEnd);
  }

  /** Exactly `length` bytes; throws EndOfStream where they don't come. */
  async read(length: number): Promise<Buffer> {
    while (this.#heldBytes < length) {
      if (!(await this.#fill())) {
        throw new EndOfStream(`${length} bytes expected, ${this.#heldBytes} came`);
      }
    }
    return this.#take(length);
  }

  /** `length` bytes, or fewer where the stream ends before; empty at its end. */
  async readUpTo(length: number): Promise<Buffer> {
    while (this.#heldBytes < length && (await this.#fill())) {
      // Until there is enough, or no more.
    }
    return this.#take(Math.min(length, this.#heldBytes));
  }

  /** Up to and including the delimiter; undefined at the end of the stream; throws RangeError beyond `most` bytes. */
  async readUntil(delimiter: string, most: number): Promise<Buffer | undefined> {
    for (;;) {
      const all = this.#gather();
      const at = all.indexOf(delimiter);
      if (at >= 0 && at + delimiter.length <= most) {
        return this.#take(at + delimiter.length);
      }
      if (at >= 0 || all.length > most) {
        throw new RangeError(`more than ${most} bytes before the delimiter`);
      }
      if (!(await this.#fill())) {
        return undefined;
      }
    }
  }

  /** Lets go of the stream, so that something else (TLS) can read on. */
  detach(): void {
    this.#stream.off('readable', this.#onReadable);
    this.#stream.off('end', this.#onEnd);
    this.#stream.off('close', this.#onEnd);
    this.#stream.off('error', this.#onEnd);
  }

  readonly #onReadable = (): void => {
    this.#wake?.();
  };

  readonly #onEnd = (): void => {
    this.#ended = true;
    this.#wake?.();
  };

  async #fill(): Promise<boolean> {
    for (;;) {
      const chunk = this.#stream.read() as Buffer | null;
      if (chunk !== null) {
        this.#held.push(chunk);
        this.#heldBytes += chunk.length;
        return true;
      }
      if (this.#ended || this.#stream.destroyed) {
        return false;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
  }

  #gather(): Buffer {
    const all = this.#held.length === 1 ? this.#held[0] : Buffer.concat(this.#held);
    this.#held = all === undefined || all.length === 0 ? [] : [all];
    return all ?? Buffer.alloc(0);
  }

  #take(length: number): Buffer {
    const parts: Buffer[] = [];
    let left = length;
    while (left > 0) {
      const first = this.#held.shift() ?? Buffer.alloc(0);
      parts.push(first.subarray(0, left));
      if (first.length > left) {
        this.#held.unshift(first.subarray(left));
      }
      left -= Math.min(first.length, left);
    }
    this.#heldBytes -= length;
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : Buffer.concat(parts);
  }
}
