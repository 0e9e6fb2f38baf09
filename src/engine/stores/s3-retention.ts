import { randomBytes } from 'node:crypto';
import { GetObjectRetentionCommand, PutObjectRetentionCommand, type ObjectLockMode } from '@aws-sdk/client-s3';
import { dateOf, isoTime } from '../../kernel/clock.ts';
import { AppError, isAppError } from '../../kernel/errors.ts';
import type { MeddledObject, PutOptions, Retention, RetentionMode, Store } from '../ports/store.ts';
import { PassingFault, readFault } from './s3-errors.ts';
import { missingObject, type S3Place } from './s3-place.ts';
import type { S3Version, S3Versions } from './s3-versions.ts';

const SECOND = 1000;
/** Longer than clocks differ; the objects of probes stay that long. */
const PROBE_MS = 600_000;
const PROBES = 'probes/';
/** Some servers refuse to extend what was put a moment ago. */
const REFUSALS_BELIEVED = 3;
/** Objects whose dates are remembered: 1 TiB in packs. */
const REMEMBERED = 16_384;

interface Lock {
  readonly mode: ObjectLockMode | undefined;
  readonly until: number;
}

/** S3 Object Lock, by version. */
export class S3Retention implements Retention {
  readonly mode: RetentionMode;
  readonly #place: S3Place;
  readonly #versions: S3Versions;
  readonly #store: Pick<Store, 'putIfAbsent' | 'list' | 'delete'>;
  /** Dates that nobody can shorten: not asked for again. */
  readonly #final = new Map<string, number>();

  constructor(
    mode: RetentionMode,
    place: S3Place,
    versions: S3Versions,
    store: Pick<Store, 'putIfAbsent' | 'list' | 'delete'>,
  ) {
    this.mode = mode;
    this.#place = place;
    this.#versions = versions;
    this.#store = store;
  }

  async lockUntil(name: string, until: number, signal?: AbortSignal): Promise<void> {
    if ((this.#final.get(name) ?? 0) >= Math.max(until, this.#place.clock.now())) {
      return;
    }
    let refusals = 0;
    await this.#place.attempts.run({
      what: `lock ${name}`,
      action: 'write',
      bytes: 0,
      signal,
      attempt: async (abortSignal) => {
        const version = await this.#require(name, abortSignal);
        const lock = await this.#read(version, abortSignal);
        if (lock !== null && lock.until >= until) {
          this.#remember(name, lock);
          return;
        }
        try {
          const longer = { mode: lock?.mode ?? toS3Mode(this.mode), until: wholeSeconds(until) };
          await this.#put(version, longer, abortSignal);
          this.#remember(name, longer);
        } catch (error) {
          refusals += 1;
          const isRefusal = readFault(error).reason === 'AccessDenied' && refusals < REFUSALS_BELIEVED;
          throw isRefusal ? new PassingFault('refused, perhaps because the object is new') : error;
        }
      },
    });
  }

  async lockedUntil(name: string): Promise<number | null> {
    return this.#ask(`look up how long ${name} is locked`, async (abortSignal) => {
      const lock = await this.#read(await this.#require(name, abortSignal), abortSignal);
      return lock?.until ?? null;
    });
  }

  async *meddled(prefix: string): AsyncIterable<MeddledObject> {
    for await (const versions of this.#versions.histories(prefix)) {
      const [last] = versions;
      if (last !== undefined && versions.length > 1) {
        const kind = last.isMarker ? 'hidden' : 'overwritten';
        yield { name: last.name, kind, at: Math.max(...versions.map(({ writtenAt }) => writtenAt)) };
      }
    }
  }

  async probe(): Promise<void> {
    if (!(await this.#ask('look whether versions are kept', (signal) => this.#versions.enabled(signal)))) {
      throw this.#refused('keeps no versions, or does not tell', 'Turn on versioning and object lock for the bucket.');
    }
    await this.#removeOldProbes();
    const name = `${PROBES}${randomBytes(16).toString('hex')}`;
    const until = wholeSeconds(this.#place.clock.now() + PROBE_MS);
    try {
      await this.#store.putIfAbsent(name, [Buffer.from('holdfast')], { retainUntil: until });
    } catch (error) {
      if (isAppError(error, 'VAULT_UNREACHABLE') && error.data['status'] === 400) {
        throw this.#refused('does not lock objects', 'Turn on object lock for the bucket.', error);
      }
      throw error;
    }
    const version = await this.#ask(`look for ${name}`, (signal) => this.#require(name, signal));
    const lock = await this.#ask(`look up how long ${name} is locked`, (signal) => this.#read(version, signal));
    if (lock === null || lock.until < until) {
      throw this.#refused('does not keep the date that an object is locked until');
    }
    await this.#expectRefusal('shortens the time that an object is locked', (signal) =>
      this.#put(version, { mode: lock.mode, until: until - PROBE_MS / 2 }, signal, this.mode === 'governance'),
    );
    await this.#expectRefusal('deletes a version that is locked', (signal) => this.#versions.remove(version, signal));
    await this.#expectRefusal(
      'lets these credentials delete a version that is locked, by bypassing governance',
      (signal) => this.#versions.remove(version, signal, true),
    );
  }

  /** What a put that is to be kept says: nothing of a date that is past, which servers refuse. */
  headers({ retainUntil }: PutOptions): { ObjectLockMode?: ObjectLockMode; ObjectLockRetainUntilDate?: Date } {
    return retainUntil === undefined || retainUntil <= this.#place.clock.now()
      ? {}
      : { ObjectLockMode: toS3Mode(this.mode), ObjectLockRetainUntilDate: dateOf(wholeSeconds(retainUntil)) };
  }

  /** Of an object that a put with these options made. */
  madeWith(name: string, { retainUntil }: PutOptions): void {
    if (retainUntil !== undefined) {
      this.#remember(name, { mode: toS3Mode(this.mode), until: retainUntil });
    }
  }

  /** Of a refused deletion: VAULT_RETAINED if that is why. */
  async explain(version: S3Version, refusal: unknown, abortSignal: AbortSignal): Promise<unknown> {
    const lock = await this.#read(version, abortSignal);
    if (lock === null || lock.until <= this.#place.clock.now()) {
      return refusal;
    }
    const until = isoTime(lock.until);
    return new AppError(
      'VAULT_RETAINED',
      `${version.name} is locked until ${until} in the vault at ${this.#place.description}.`,
      {
        data: { object: version.name, until },
      },
    );
  }

  async #removeOldProbes(): Promise<void> {
    for await (const { name } of this.#store.list(PROBES)) {
      try {
        await this.#store.delete(name);
      } catch (error) {
        if (!isAppError(error, 'VAULT_RETAINED', 'VAULT_READ_ONLY')) {
          throw error;
        }
      }
    }
  }

  async #expectRefusal(what: string, attempt: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
    const isRefused = await this.#ask('try what must be refused', async (abortSignal) => {
      try {
        await attempt(abortSignal);
        return false;
      } catch (error) {
        if (readFault(error).status === 403) {
          return true;
        }
        throw error;
      }
    });
    if (!isRefused) {
      throw this.#refused(what);
    }
  }

  async #require(name: string, abortSignal: AbortSignal): Promise<S3Version> {
    const version = await this.#versions.first(name, abortSignal);
    if (version === null) {
      throw missingObject(name, this.#place.description);
    }
    return version;
  }

  async #read({ name, versionId }: S3Version, abortSignal: AbortSignal): Promise<Lock | null> {
    const { client, bucket, prefix } = this.#place;
    const command = new GetObjectRetentionCommand({ Bucket: bucket, Key: `${prefix}${name}`, VersionId: versionId });
    try {
      const { Retention: found } = await client.send(command, { abortSignal });
      const until = found?.RetainUntilDate?.getTime();
      return until === undefined ? null : { mode: found?.Mode, until };
    } catch (error) {
      const { reason } = readFault(error);
      if (reason === 'NoSuchObjectLockConfiguration' || reason === 'InvalidRequest') {
        return null;
      }
      if (reason === 'NoSuchVersion' || reason === 'NoSuchKey') {
        this.#versions.forget(name);
        throw missingObject(name, this.#place.description);
      }
      throw error;
    }
  }

  async #put(version: S3Version, { mode, until }: Lock, abortSignal: AbortSignal, bypass = false): Promise<void> {
    const { client, bucket, prefix } = this.#place;
    const command = new PutObjectRetentionCommand({
      Bucket: bucket,
      Key: `${prefix}${version.name}`,
      VersionId: version.versionId,
      // What was locked for good stays so.
      Retention: { Mode: mode ?? toS3Mode(this.mode), RetainUntilDate: dateOf(until) },
      ...(bypass ? { BypassGovernanceRetention: true } : {}),
    });
    await client.send(command, { abortSignal });
  }

  #remember(name: string, { mode, until }: Lock): void {
    if (mode !== 'COMPLIANCE') {
      return;
    }
    this.#final.set(name, until);
    const [oldest] = this.#final.keys();
    if (this.#final.size > REMEMBERED && oldest !== undefined) {
      this.#final.delete(oldest);
    }
  }

  #ask<T>(what: string, attempt: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return this.#place.attempts.run({ what, action: 'read', bytes: 0, attempt });
  }

  #refused(what: string, hint?: string, cause?: unknown): AppError {
    const message = `The vault at ${this.#place.description} would not be immutable: its server ${what}.`;
    return new AppError('VAULT_NOT_IMMUTABLE', message, { cause, ...(hint === undefined ? {} : { hint }) });
  }
}

function toS3Mode(mode: RetentionMode): ObjectLockMode {
  return mode === 'compliance' ? 'COMPLIANCE' : 'GOVERNANCE';
}

function wholeSeconds(ms: number): number {
  return Math.ceil(ms / SECOND) * SECOND;
}
