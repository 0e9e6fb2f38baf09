import { DeleteObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { systemClock, type Clock } from '../../kernel/clock.ts';
import type { GetOptions, PutOptions, RetentionMode, Store, StoredObject } from '../ports/store.ts';
import { requireNoRetention } from './no-retention.ts';
import { S3Attempts, USUAL_PATIENCE, type S3Patience } from './s3-attempts.ts';
import { readFault } from './s3-errors.ts';
import { listObjects } from './s3-list.ts';
import { keyOf, type S3Place } from './s3-place.ts';
import { S3Puts } from './s3-puts.ts';
import { S3Reads } from './s3-reads.ts';
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

/**
 * A bucket as a store, or what lies below a prefix in it. Durable and visible to all is what S3 answers 200 to, hence
 * `flush` has nothing to do.
 */
export class S3Store implements Store, Disposable {
  readonly description: string;
  readonly retention: S3Retention | undefined;
  readonly #place: S3Place;
  readonly #versions: S3Versions;
  readonly #reads: S3Reads;
  readonly #puts: S3Puts;

  constructor(options: S3StoreOptions) {
    const { bucket, endpoint, clock = systemClock, retention: mode } = options;
    const patience = { ...USUAL_PATIENCE, ...options.patience };
    const prefix = options.prefix === '' ? '' : `${options.prefix}/`;
    this.description = `s3://${bucket}/${prefix}${endpoint === undefined ? '' : ` at ${hostOf(endpoint)}`}`;
    const client = new S3Client({
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
    const attempts = new S3Attempts(this.description, patience, clock);
    this.#place = { client, bucket, prefix, description: this.description, attempts, clock };
    this.#versions = new S3Versions(this.#place);
    this.retention = mode === undefined ? undefined : new S3Retention(mode, this.#place, this.#versions, this);
    this.#reads = new S3Reads(this.#place, this.#versions);
    this.#puts = new S3Puts(this.#place, this.#versions, this.retention);
  }

  async putIfAbsent(
    name: string,
    parts: readonly Uint8Array[],
    options: PutOptions = {},
  ): Promise<'created' | 'exists'> {
    if (this.retention === undefined) {
      requireNoRetention(options, this.description);
    }
    return this.#puts.putIfAbsent(name, parts, options);
  }

  get(name: string, options?: GetOptions): Promise<Uint8Array> {
    return this.#reads.get(name, options);
  }

  getRange(name: string, offset: number, into: Uint8Array, signal?: AbortSignal): Promise<void> {
    return this.#reads.getRange(name, offset, into, signal);
  }

  head(name: string): Promise<StoredObject | null> {
    return this.#reads.head(name);
  }

  async *list(prefix: string): AsyncIterable<StoredObject> {
    if (await this.#isVersioned()) {
      yield* this.#versions.list(prefix);
      return;
    }
    yield* listObjects(this.#place, prefix);
  }

  async delete(name: string): Promise<void> {
    const command = { Bucket: this.#place.bucket, Key: keyOf(this.#place, name) };
    await this.#place.attempts.run({
      what: `delete ${name}`,
      action: 'write',
      bytes: 0,
      attempt: async (abortSignal) => {
        if (await this.#versions.enabled(abortSignal)) {
          await this.#deleteVersions(name, abortSignal);
          return;
        }
        try {
          await this.#place.client.send(new DeleteObjectCommand(command), { abortSignal });
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
    this.#place.client.destroy();
  }

  #isVersioned(): Promise<boolean> {
    const what = 'look whether versions are kept';
    return this.#place.attempts.run({
      what,
      action: 'read',
      bytes: 0,
      attempt: (signal) => this.#versions.enabled(signal),
    });
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
}

/** Without what may stand before an `@`. */
function hostOf(endpoint: string): string {
  return new URL(endpoint).host;
}
