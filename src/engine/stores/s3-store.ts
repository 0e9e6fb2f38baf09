import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
  type GetObjectCommandOutput,
  type HeadObjectCommandOutput,
} from '@aws-sdk/client-s3';
import { MIB } from '../../kernel/bytes.ts';
import { systemClock, type Clock } from '../../kernel/clock.ts';
import { AppError, isAppError } from '../../kernel/errors.ts';
import type { PutOptions, RetentionMode, Store, StoredObject } from '../ports/store.ts';
import { requireNoRetention } from './no-retention.ts';
import { requireObjectName } from './object-name.ts';
import { S3Attempts, USUAL_PATIENCE, type S3Patience } from './s3-attempts.ts';
import { PassingFault, readFault } from './s3-errors.ts';
import { listObjects } from './s3-list.ts';
import { missingObject, type S3Place } from './s3-place.ts';
import { S3Retention } from './s3-retention.ts';
import { S3Versions } from './s3-versions.ts';

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
  /** Objects can be locked, in this mode: for buckets with versions and object lock. */
  readonly retention?: RetentionMode | undefined;
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
  readonly retention: S3Retention | undefined;
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #attempts: S3Attempts;
  readonly #place: S3Place;
  readonly #versions: S3Versions;

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
    this.#place = {
      client: this.#client,
      bucket,
      prefix: this.#prefix,
      description: this.description,
      attempts: this.#attempts,
      clock,
    };
    this.#versions = new S3Versions(this.#place);
    const { retention: mode } = options;
    this.retention = mode === undefined ? undefined : new S3Retention(mode, this.#place, this.#versions, this);
  }

  async putIfAbsent(
    name: string,
    parts: readonly Uint8Array[],
    options: PutOptions = {},
  ): Promise<'created' | 'exists'> {
    const { signal } = options;
    if (this.retention === undefined) {
      requireNoRetention(options, this.description);
    }
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
      ...this.retention?.headers(options),
    };
    const outcome = await this.#attempts.run<'created' | 'exists'>({
      what: `write ${name}`,
      action: 'write',
      bytes: Body.length,
      signal,
      attempt: async (abortSignal) => {
        try {
          const { VersionId } = await this.#client.send(new PutObjectCommand(command), { abortSignal });
          const keepsVersions = VersionId !== undefined && (await this.#versions.enabled(abortSignal));
          return keepsVersions ? await this.#outcomeOf(name, VersionId, abortSignal) : 'created';
        } catch (error) {
          if (readFault(error).status !== 412) {
            throw error;
          }
        }
        return (await this.#isMadeBy(name, id, abortSignal)) ? 'created' : 'exists';
      },
    });
    if (outcome === 'created') {
      this.retention?.madeWith(name, options);
    }
    return outcome;
  }

  async get(name: string, signal?: AbortSignal): Promise<Uint8Array> {
    return this.#attempts.run({
      what: `read ${name}`,
      action: 'read',
      bytes: READ_WHOLE_BYTES,
      signal,
      attempt: async (abortSignal) => {
        const answer = await this.#get(name, {}, abortSignal);
        const into = new Uint8Array(answer.ContentLength ?? 0);
        await fill(into, answer);
        return into;
      },
    });
  }

  async getRange(name: string, offset: number, into: Uint8Array, signal?: AbortSignal): Promise<void> {
    if (into.length === 0) {
      if ((await this.#head(name, signal)) === null) {
        throw missingObject(name, this.description);
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
        const answer = await this.#get(name, { Range }, abortSignal);
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
    if (await this.#isVersioned()) {
      yield* this.#versions.list(prefix);
      return;
    }
    yield* listObjects(this.#place, prefix);
  }

  async delete(name: string): Promise<void> {
    const command = { Bucket: this.#bucket, Key: this.#key(name) };
    await this.#attempts.run({
      what: `delete ${name}`,
      action: 'write',
      bytes: 0,
      attempt: async (abortSignal) => {
        if (await this.#versions.enabled(abortSignal)) {
          await this.#deleteVersions(name, abortSignal);
          return;
        }
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

  #isVersioned(): Promise<boolean> {
    const what = 'look whether versions are kept';
    return this.#attempts.run({ what, action: 'read', bytes: 0, attempt: (signal) => this.#versions.enabled(signal) });
  }

  /** A conditional put succeeds where a delete marker hides the object; that one was first all the same. */
  async #outcomeOf(name: string, versionId: string, abortSignal: AbortSignal): Promise<'created' | 'exists'> {
    const first = await this.#versions.lookUp(name, abortSignal);
    return first === null || first.versionId === versionId ? 'created' : 'exists';
  }

  /** Markers and whatever else lies over it first: the object itself is never uncovered as something that it isn't. */
  async #deleteVersions(name: string, abortSignal: AbortSignal): Promise<void> {
    for (const version of await this.#versions.all(name, abortSignal)) {
      try {
        await this.#versions.remove(version, abortSignal);
      } catch (error) {
        const isRefused = readFault(error).status === 403 && this.retention !== undefined;
        throw isRefused ? await this.retention.explain(version, error, abortSignal) : error;
      }
    }
  }

  async #isMadeBy(name: string, id: string, abortSignal: AbortSignal): Promise<boolean> {
    try {
      const target = await this.#target(name, abortSignal);
      const found = await this.#client.send(new HeadObjectCommand(target), { abortSignal });
      return found.Metadata?.[PUT_ID] === id;
    } catch (error) {
      throw readFault(error).status === 404 || isAppError(error) ? new PassingFault('deleted meanwhile') : error;
    }
  }

  async #get(
    name: string,
    range: { readonly Range?: string },
    abortSignal: AbortSignal,
  ): Promise<GetObjectCommandOutput> {
    const input = { ...(await this.#target(name, abortSignal)), ...range };
    try {
      return await this.#client.send(new GetObjectCommand(input), { abortSignal });
    } catch (error) {
      const { reason, status } = readFault(error);
      if (input.VersionId !== undefined && status === 404) {
        this.#versions.forget(name);
        throw new PassingFault('deleted meanwhile');
      }
      if (reason === 'NoSuchKey') {
        throw missingObject(name, this.description);
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
        if (await this.#versions.enabled(abortSignal)) {
          const first = await this.#versions.lookUp(name, abortSignal);
          return first === null ? null : { name, sizeBytes: first.sizeBytes };
        }
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

  /** What is read: in a bucket that keeps versions the first one, whatever somebody put over it. */
  async #target(name: string, abortSignal: AbortSignal): Promise<Target> {
    const target = { Bucket: this.#bucket, Key: this.#key(name) };
    if (!(await this.#versions.enabled(abortSignal))) {
      return target;
    }
    const first = await this.#versions.first(name, abortSignal);
    if (first === null) {
      throw missingObject(name, this.description);
    }
    return { ...target, VersionId: first.versionId };
  }

  #key(name: string): string {
    requireObjectName(name);
    return `${this.#prefix}${name}`;
  }
}

interface Target {
  readonly Bucket: string;
  readonly Key: string;
  readonly VersionId?: string;
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

/** Without what may stand before an `@`. */
function hostOf(endpoint: string): string {
  return new URL(endpoint).host;
}
