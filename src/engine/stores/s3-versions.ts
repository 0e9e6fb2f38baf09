import {
  DeleteObjectCommand,
  GetBucketVersioningCommand,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandOutput,
} from '@aws-sdk/client-s3';
import type { StoredObject } from '../ports/store.ts';
import { readFault } from './s3-errors.ts';
import { isObjectName } from './object-name.ts';
import { keyOf, missingObject, requireProgress, type S3Place } from './s3-place.ts';

/** A version of an object, or a marker that hides the ones before it. */
export interface S3Version {
  readonly name: string;
  readonly versionId: string;
  readonly sizeBytes: number;
  readonly isMarker: boolean;
  /** Milliseconds since 1970, as the server says; 0 if it doesn't. */
  readonly writtenAt: number;
}

/** The object that a request is about. */
export interface S3Target {
  readonly Bucket: string;
  readonly Key: string;
  readonly VersionId?: string;
}

/** Servers without versioning, and credentials that may not ask; both are used as if there were no versions. */
const UNVERSIONED = new Set(['AccessDenied', 'NotImplemented', 'MethodNotAllowed']);
const REMEMBERED = 4096;

/**
 * The versions in a bucket that keeps them. The first version of a name is the object: whoever puts a marker or another
 * version over it hides nothing. Methods are single requests, for the attempts of their callers.
 */
export class S3Versions {
  readonly #place: S3Place;
  readonly #first = new Map<string, S3Version>();
  #enabled: boolean | null = null;

  constructor(place: S3Place) {
    this.#place = place;
  }

  async enabled(abortSignal: AbortSignal): Promise<boolean> {
    this.#enabled ??= await this.#ask(abortSignal);
    return this.#enabled;
  }

  /** The object's version, maybe as it was remembered; null if there is none. */
  async first(name: string, abortSignal: AbortSignal): Promise<S3Version | null> {
    return this.#first.get(name) ?? (await this.lookUp(name, abortSignal));
  }

  /** What is read: in a bucket that keeps versions the first one, whatever somebody put over it. */
  async target(name: string, abortSignal: AbortSignal): Promise<S3Target> {
    const target = { Bucket: this.#place.bucket, Key: keyOf(this.#place, name) };
    if (!(await this.enabled(abortSignal))) {
      return target;
    }
    const first = await this.first(name, abortSignal);
    if (first === null) {
      throw missingObject(name, this.#place.description);
    }
    return { ...target, VersionId: first.versionId };
  }

  async lookUp(name: string, abortSignal: AbortSignal): Promise<S3Version | null> {
    const found = (await this.all(name, abortSignal)).findLast(({ isMarker }) => !isMarker);
    this.forget(name);
    if (found === undefined) {
      return null;
    }
    this.#first.set(name, found);
    const [oldest] = this.#first.keys();
    if (this.#first.size > REMEMBERED && oldest !== undefined) {
      this.forget(oldest);
    }
    return found;
  }

  forget(name: string): void {
    this.#first.delete(name);
  }

  /** Markers of one name, then its versions, the newest first. */
  async all(name: string, abortSignal: AbortSignal): Promise<S3Version[]> {
    const found: S3Version[] = [];
    for await (const version of this.#below(name, async (page) => page(abortSignal))) {
      // In the order of names, one that only begins with this one comes after it.
      if (version.name !== name) {
        break;
      }
      found.push(version);
    }
    return found;
  }

  /** The first version of each name, whether it is hidden or not. */
  async *list(prefix: string): AsyncIterable<StoredObject> {
    for await (const versions of this.histories(prefix)) {
      const first = versions.findLast(({ isMarker }) => !isMarker);
      if (first !== undefined && isObjectName(first.name)) {
        yield { name: first.name, sizeBytes: first.sizeBytes };
      }
    }
  }

  /** All markers and versions of each name, in that order, the newest first. */
  async *histories(prefix: string): AsyncIterable<S3Version[]> {
    let current: S3Version[] = [];
    const what = `list versions of ${prefix === '' ? 'everything' : prefix}`;
    const request = { what, action: 'read', bytes: 0 } as const;
    for await (const version of this.#below(prefix, (page) =>
      this.#place.attempts.run({ ...request, attempt: page }),
    )) {
      if (current.length > 0 && current[0]?.name !== version.name) {
        yield current;
        current = [];
      }
      current.push(version);
    }
    if (current.length > 0) {
      yield current;
    }
  }

  async remove({ name, versionId }: S3Version, abortSignal: AbortSignal, bypass = false): Promise<void> {
    const { client, bucket, prefix } = this.#place;
    const VersionId = versionId;
    const input = { Bucket: bucket, Key: `${prefix}${name}`, VersionId };
    await client.send(new DeleteObjectCommand({ ...input, ...(bypass ? { BypassGovernanceRetention: true } : {}) }), {
      abortSignal,
    });
    this.forget(name);
  }

  async *#below(start: string, run: (page: Page) => ReturnType<Page>): AsyncIterable<S3Version> {
    const { client, bucket, prefix } = this.#place;
    let next: Pick<ListObjectVersionsCommandOutput, 'NextKeyMarker' | 'NextVersionIdMarker'> | null = {};
    while (next !== null) {
      const { NextKeyMarker: KeyMarker, NextVersionIdMarker: VersionIdMarker } = next;
      const input = { Bucket: bucket, Prefix: `${prefix}${start}`, KeyMarker, VersionIdMarker };
      const answer: ListObjectVersionsCommandOutput = await run((abortSignal) =>
        client.send(new ListObjectVersionsCommand(input), { abortSignal }),
      );
      yield* versionsOf(answer, prefix.length);
      if (answer.IsTruncated === true) {
        const from = `${KeyMarker ?? ''}\n${VersionIdMarker ?? ''}`;
        const to = `${answer.NextKeyMarker ?? ''}\n${answer.NextVersionIdMarker ?? ''}`;
        requireProgress(from, to, this.#place.description);
      }
      next = answer.IsTruncated === true ? answer : null;
    }
  }

  async #ask(abortSignal: AbortSignal): Promise<boolean> {
    const { client, bucket } = this.#place;
    try {
      const { Status } = await client.send(new GetBucketVersioningCommand({ Bucket: bucket }), { abortSignal });
      return Status !== undefined;
    } catch (error) {
      if (UNVERSIONED.has(readFault(error).reason)) {
        return false;
      }
      throw error;
    }
  }
}

type Page = (abortSignal: AbortSignal) => Promise<ListObjectVersionsCommandOutput>;

/** Two lists, each by name and the newest first, as one; of each name markers come first. */
function versionsOf({ Versions, DeleteMarkers }: ListObjectVersionsCommandOutput, cut: number): S3Version[] {
  const all = [
    ...(DeleteMarkers ?? []).map((marker) => ({ ...marker, Size: 0, isMarker: true })),
    ...(Versions ?? []).map((version) => ({ ...version, isMarker: false })),
  ];
  return all
    .map(({ Key = '', VersionId = '', Size = 0, LastModified, isMarker }) => ({
      name: Key.slice(cut),
      versionId: VersionId,
      sizeBytes: Size,
      isMarker,
      writtenAt: LastModified?.getTime() ?? 0,
    }))
    .toSorted((a, b) => compareText(a.name, b.name));
}

/** As S3 orders keys: by the bytes of UTF-8. */
function compareText(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a, 'utf8'), Buffer.from(b, 'utf8'));
}
