import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { isAppError } from '../../kernel/errors.ts';
import type { PutOptions } from '../ports/store.ts';
import { PassingFault, readFault } from './s3-errors.ts';
import { keyOf, type S3Place } from './s3-place.ts';
import type { S3Retention } from './s3-retention.ts';
import type { S3Versions } from './s3-versions.ts';

/** Names the put that made an object, so that a writer whose answer was lost finds out that it was the first. */
const PUT_ID = 'holdfast-put';

/** Objects put once: who was first is told, also of a put whose answer was lost. */
export class S3Puts {
  readonly #place: S3Place;
  readonly #versions: S3Versions;
  readonly #retention: S3Retention | undefined;

  constructor(place: S3Place, versions: S3Versions, retention: S3Retention | undefined) {
    this.#place = place;
    this.#versions = versions;
    this.#retention = retention;
  }

  async putIfAbsent(name: string, parts: readonly Uint8Array[], options: PutOptions): Promise<'created' | 'exists'> {
    const { signal } = options;
    const Key = keyOf(this.#place, name);
    const Body = joined(parts);
    const id = randomBytes(16).toString('hex');
    const command = {
      Bucket: this.#place.bucket,
      Key,
      Body,
      ContentLength: Body.length,
      ChecksumCRC32: crc32Of(Body),
      IfNoneMatch: '*',
      Metadata: { [PUT_ID]: id },
      ...this.#retention?.headers(options),
    };
    const outcome = await this.#place.attempts.run<'created' | 'exists'>({
      what: `write ${name}`,
      action: 'write',
      bytes: Body.length,
      signal,
      attempt: async (abortSignal) => {
        try {
          const { VersionId } = await this.#place.client.send(new PutObjectCommand(command), { abortSignal });
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
      this.#retention?.madeWith(name, options);
    }
    return outcome;
  }

  /** A conditional put succeeds where a delete marker hides the object; that one was first all the same. */
  async #outcomeOf(name: string, versionId: string, abortSignal: AbortSignal): Promise<'created' | 'exists'> {
    const first = await this.#versions.lookUp(name, abortSignal);
    return first === null || first.versionId === versionId ? 'created' : 'exists';
  }

  async #isMadeBy(name: string, id: string, abortSignal: AbortSignal): Promise<boolean> {
    try {
      const target = await this.#versions.target(name, abortSignal);
      const found = await this.#place.client.send(new HeadObjectCommand(target), { abortSignal });
      return found.Metadata?.[PUT_ID] === id;
    } catch (error) {
      throw readFault(error).status === 404 || isAppError(error) ? new PassingFault('deleted meanwhile') : error;
    }
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
