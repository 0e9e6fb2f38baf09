import type { Readable } from 'node:stream';
import {
  GetObjectCommand,
  HeadObjectCommand,
  type GetObjectCommandOutput,
  type HeadObjectCommandOutput,
} from '@aws-sdk/client-s3';
import { MIB } from '../../kernel/bytes.ts';
import { AppError } from '../../kernel/errors.ts';
import type { GetOptions, StoredObject } from '../ports/store.ts';
import { PassingFault, readFault } from './s3-errors.ts';
import { keyOf, missingObject, type S3Place } from './s3-place.ts';
import type { S3Versions } from './s3-versions.ts';
import { requireSize } from './size-limit.ts';

/** For the deadline of reading an object whose size isn't known yet; packs are no larger. */
const READ_WHOLE_BYTES = 64 * MIB;

/** Objects and pieces of them, each whole or an error, and whether they are there. */
export class S3Reads {
  readonly #place: S3Place;
  readonly #versions: S3Versions;

  constructor(place: S3Place, versions: S3Versions) {
    this.#place = place;
    this.#versions = versions;
  }

  async get(name: string, { signal, maxBytes }: GetOptions = {}): Promise<Uint8Array> {
    return this.#place.attempts.run({
      what: `read ${name}`,
      action: 'read',
      bytes: READ_WHOLE_BYTES,
      signal,
      attempt: async (abortSignal) => {
        const answer = await this.#get(name, {}, abortSignal);
        const sizeBytes = answer.ContentLength ?? 0;
        try {
          requireSize(name, sizeBytes, maxBytes);
        } catch (error) {
          (answer.Body as Readable | undefined)?.destroy();
          throw error;
        }
        const into = new Uint8Array(sizeBytes);
        await fill(into, answer);
        return into;
      },
    });
  }

  async getRange(name: string, offset: number, into: Uint8Array, signal?: AbortSignal): Promise<void> {
    if (into.length === 0) {
      if ((await this.head(name, signal)) === null) {
        throw missingObject(name, this.#place.description);
      }
      return;
    }
    const Range = `bytes=${offset}-${offset + into.length - 1}`;
    await this.#place.attempts.run({
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

  head(name: string, signal?: AbortSignal): Promise<StoredObject | null> {
    const command = { Bucket: this.#place.bucket, Key: keyOf(this.#place, name) };
    return this.#place.attempts.run({
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
          found = await this.#place.client.send(new HeadObjectCommand(command), { abortSignal });
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

  async #get(
    name: string,
    range: { readonly Range?: string },
    abortSignal: AbortSignal,
  ): Promise<GetObjectCommandOutput> {
    const input = { ...(await this.#versions.target(name, abortSignal)), ...range };
    try {
      return await this.#place.client.send(new GetObjectCommand(input), { abortSignal });
    } catch (error) {
      const { reason, status } = readFault(error);
      if (input.VersionId !== undefined && status === 404) {
        this.#versions.forget(name);
        throw new PassingFault('deleted meanwhile');
      }
      if (reason === 'NoSuchKey') {
        throw missingObject(name, this.#place.description);
      }
      throw status === 416 ? endsBefore(name, 'the range') : error;
    }
  }

  /**
   * An answer to HEAD has no body: its 404 may mean the bucket, with some servers even the credentials. Neither must
   * look like a vault that lacks an object, so a request asks that is answered with a reason.
   */
  async #requireAbsence(object: { readonly Bucket: string; readonly Key: string }, signal: AbortSignal): Promise<void> {
    const command = new GetObjectCommand({ ...object, Range: 'bytes=0-0' });
    try {
      const { Body } = await this.#place.client.send(command, { abortSignal: signal });
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
