import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  type GetObjectCommandOutput,
  type HeadObjectCommandOutput,
  type ListObjectsV2CommandOutput,
} from '@aws-sdk/client-s3';
import { MIB } from '../../kernel/bytes.ts';
import { systemClock, type Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import type { PutOptions, Store, StoredObject } from '../ports/store.ts';
import { requireNoRetention } from './no-retention.ts';
import { requireObjectName } from './object-name.ts';
import { S3Attempts, USUAL_PATIENCE, type S3Patience } from './s3-attempts.ts';
import { PassingFault, readFault } from './s3-errors.ts';

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface S3StoreOptions {
  readonly bucket: string;
  /** What all keys begin with, without a `/` at either end; empty for the whole bucket. */
  readonly prefix: string;
  readonly region: string;
  /** `https://host:port` of an object store that isn't Amazon's. */
  readonly endpoint?: string;
  readonly credentials: S3Credentials;
  readonly patience?: Partial<S3Patience>;
  readonly clock?: Clock;
}

/** Names the put that made an object, so that a writer whose answer was lost finds out that it was the first. */
const PUT_ID = 'holdfast-put';
/** For the deadline of reading an object whose size isn't known yet; packs are no larger. */
const READ_WHOLE_BYTES = 64 * MIB;

/**
 * A bucket as a store, or what lies below a prefix in it. Durable and visible to all is what S3 answers 200 to, hence
 * `flush` has nothing to do.
 */
export class S3Store implements Store, Disposable {
  readonly description: string;
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #attempts: S3Attempts;

  constructor(options: S3StoreOptions) {
    const { bucket, prefix, endpoint, clock = systemClock } = options;
    const patience = { ...USUAL_PATIENCE, ...options.patience };
    this.#bucket = bucket;
    this.#prefix = prefix === '' ? '' : `${prefix}/`;
    this.description = `s3://${bucket}/${this.#prefix}${endpoint === undefined ? '' : ` at ${hostOf(endpoint)}`}`;
    this.#attempts = new S3Attempts(this.description, patience, clock);
    this.#client = new S3Client({
      region: options.region,
      credentials: { ...options.credentials },
      // Tries are counted here: only who knows of all of them can tell what a refused put means.
      maxAttempts: 1,
      // Others than Amazon refuse checksums in trailers; puts carry one in a header instead.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      requestHandler: { connectionTimeout: patience.connectMs, socketTimeout: patience.idleMs },
      ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    });
  }

  async putIfAbsent(
    name: string,
    parts: readonly Uint8Array[],
    options: PutOptions = {},
  ): Promise<'created' | 'exists'> {
    const { signal } = options;
    requireNoRetention(options, this.description);
    const Key = this.#key(name);
    const Body = joined(parts);
    const id = randomBytes(16).toString('hex');
    const command = {
      Bucket: this.#bucket,
      Key,
      Body,
      ContentLength: Body.length,
      ChecksumCRC32: crc32Of(Body),
      IfNoneMatch: '*',
      Metadata: { [PUT_ID]: id },
    };
    return this.#attempts.run({
      what: `write ${name}`,
      action: 'write',
      bytes: Body.length,
      signal,
      attempt: async (abortSignal) => {
        try {
          await this.#client.send(new PutObjectCommand(command), { abortSignal });
          return 'created';
        } catch (error) {
          if (readFault(error).status !== 412) {
            throw error;
          }
        }
        return (await this.#isMadeBy(Key, id, abortSignal)) ? 'created' : 'exists';
      },
    });
  }

  async get(name: string, signal?: AbortSignal): Promise<Uint8Array> {
    const Key = this.#key(name);
    return this.#attempts.run({
      what: `read ${name}`,
      action: 'read',
      bytes: READ_WHOLE_BYTES,
      signal,
      attempt: async (abortSignal) => {
        const answer = await this.#get(name, { Bucket: this.#bucket, Key }, abortSignal);
        const into = new Uint8Array(answer.ContentLength ?? 0);
        await fill(into, answer);
        return into;
      },
    });
  }

  async getRange(name: string, offset: number, into: Uint8Array, signal?: AbortSignal): Promise<void> {
    const Key = this.#key(name);
    if (into.length === 0) {
      if ((await this.#head(name, signal)) === null) {
        throw missing(name, this.description);
      }
      return;
    }
    const Range = `bytes=${offset}-${offset + into.length - 1}`;
    await this.#attempts.run({
      what: `read ${name}`,
      action: 'read',
      bytes: into.length,
      signal,
      attempt: async (abortSignal) => {
        const answer = await this.#get(name, { Bucket: this.#bucket, Key, Range }, abortSignal);
        if (answer.ContentLength !== into.length || !isRangeFrom(offset, answer)) {
          (answer.Body as Readable | undefined)?.destroy();
          throw endsBefore(name, offset + into.length);
        }
        await fill(into, answer);
      },
    });
  }

  head(name: string): Promise<StoredObject | null> {
    return this.#head(name);
  }

  async *list(prefix: string): AsyncIterable<StoredObject> {
    let page: ListObjectsV2CommandOutput | undefined;
    do {
      const ContinuationToken = page?.NextContinuationToken;
      const command = { Bucket: this.#bucket, Prefix: `${this.#prefix}${prefix}`, ContinuationToken };
      page = await this.#attempts.run({
        what: `list ${prefix === '' ? 'everything' : prefix}`,
        action: 'read',
        bytes: 0,
        attempt: (abortSignal) => this.#client.send(new ListObjectsV2Command(command), { abortSignal }),
      });
      for (const { Key, Size } of page.Contents ?? []) {
        // Some tools make empty objects that look like folders.
        if (Key !== undefined && !Key.endsWith('/')) {
          yield { name: Key.slice(this.#prefix.length), sizeBytes: Size ?? 0 };
        }
      }
    } while (page.IsTruncated === true && page.NextContinuationToken !== undefined);
  }

  async delete(name: string): Promise<void> {
    const command = { Bucket: this.#bucket, Key: this.#key(name) };
    await this.#attempts.run({
      what: `delete ${name}`,
      action: 'write',
      bytes: 0,
      attempt: async (abortSignal) => {
        try {
          await this.#client.send(new DeleteObjectCommand(command), { abortSignal });
        } catch (error) {
          if (readFault(error).reason !== 'NoSuchKey') {
            throw error;
          }
        }
      },
    });
  }

  async flush(): Promise<void> {}

  /** Closes the connections that are kept for the next request. */
  [Symbol.dispose](): void {
    this.#client.destroy();
  }

  async #isMadeBy(Key: string, id: string, abortSignal: AbortSignal): Promise<boolean> {
    const command = new HeadObjectCommand({ Bucket: this.#bucket, Key });
    try {
      const found = await this.#client.send(command, { abortSignal });
      return found.Metadata?.[PUT_ID] === id;
    } catch (error) {
      throw readFault(error).status === 404 ? new PassingFault('deleted meanwhile') : error;
    }
  }

  async #get(
    name: string,
    input: { readonly Bucket: string; readonly Key: string; readonly Range?: string },
    abortSignal: AbortSignal,
  ): Promise<GetObjectCommandOutput> {
    try {
      return await this.#client.send(new GetObjectCommand(input), { abortSignal });
    } catch (error) {
      const { reason, status } = readFault(error);
      if (reason === 'NoSuchKey') {
        throw missing(name, this.description);
      }
      throw status === 416 ? endsBefore(name, 'the range') : error;
    }
  }

  #head(name: string, signal?: AbortSignal): Promise<StoredObject | null> {
    const command = { Bucket: this.#bucket, Key: this.#key(name) };
    return this.#attempts.run({
      what: `look for ${name}`,
      action: 'read',
      bytes: 0,
      signal,
      attempt: async (abortSignal) => {
        let found: HeadObjectCommandOutput;
        try {
          found = await this.#client.send(new HeadObjectCommand(command), { abortSignal });
        } catch (error) {
          if (readFault(error).status !== 404) {
            throw error;
          }
          await this.#requireAbsence(command, abortSignal);
          return null;
        }
        return { name, sizeBytes: found.ContentLength ?? 0 };
      },
    });
  }

  /**
   * An answer to HEAD has no body: its 404 may mean the bucket, with some servers even the credentials. Neither must
   * look like a vault that lacks an object, so a request asks that is answered with a reason.
   */
  async #requireAbsence(object: { readonly Bucket: string; readonly Key: string }, signal: AbortSignal): Promise<void> {
    const command = new GetObjectCommand({ ...object, Range: 'bytes=0-0' });
    try {
      const { Body } = await this.#client.send(command, { abortSignal: signal });
      (Body as Readable | undefined)?.destroy();
    } catch (error) {
      const { reason, status } = readFault(error);
      if (reason === 'NoSuchKey') {
        return;
      }
      if (status !== 416) {
        throw error;
      }
    }
    throw new PassingFault('created meanwhile');
  }

  #key(name: string): string {
    requireObjectName(name);
    return `${this.#prefix}${name}`;
  }
}

/** One piece of memory that only this process can reach: Node sends nothing else. */
function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  return parts.length === 1 && first?.buffer instanceof ArrayBuffer ? first : Buffer.concat(parts);
}

/** As S3 wants it: big-endian, in base 64. */
function crc32Of(data: Uint8Array): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(data));
  return bytes.toString('base64');
}

async function fill(into: Uint8Array, { Body }: GetObjectCommandOutput): Promise<void> {
  let at = 0;
  for await (const piece of (Body ?? []) as AsyncIterable<Uint8Array>) {
    if (at + piece.length > into.length) {
      throw new PassingFault('the answer broke off');
    }
    into.set(piece, at);
    at += piece.length;
  }
  if (at < into.length) {
    throw new PassingFault('the answer broke off');
  }
}

function isRangeFrom(offset: number, { ContentRange }: GetObjectCommandOutput): boolean {
  return ContentRange?.startsWith(`bytes ${offset}-`) ?? offset === 0;
}

function endsBefore(name: string, end: number | string): AppError {
  const where = typeof end === 'number' ? `byte ${end}` : end;
  return new AppError('VAULT_CORRUPT', `${name} ends before ${where}.`, { data: { object: name } });
}

function missing(name: string, place: string): AppError {
  return new AppError('VAULT_OBJECT_MISSING', `${name} is not in the vault at ${place}.`, { data: { object: name } });
}

/** Without what may stand before an `@`. */
function hostOf(endpoint: string): string {
  return new URL(endpoint).host;
}
