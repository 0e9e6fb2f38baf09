import type { S3Client } from '@aws-sdk/client-s3';
import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import { requireObjectName } from './object-name.ts';
import type { S3Attempts } from './s3-attempts.ts';

/** A prefix of a bucket, and how to ask for what is there. */
export interface S3Place {
  readonly client: S3Client;
  readonly bucket: string;
  /** What all keys begin with: empty, or ended by a `/`. */
  readonly prefix: string;
  readonly description: string;
  readonly attempts: S3Attempts;
  readonly clock: Clock;
}

/** BAD_INPUT of what is no name. */
export function keyOf({ prefix }: S3Place, name: string): string {
  requireObjectName(name);
  return `${prefix}${name}`;
}

export function missingObject(name: string, place: string): AppError {
  return new AppError('VAULT_OBJECT_MISSING', `${name} is not in the vault at ${place}.`, { data: { object: name } });
}

/** A list that breaks off must not be taken for a whole one: what it lacks would count as gone. */
export function requireProgress(from: string | undefined, to: string | undefined, place: string): void {
  if (to === undefined || to === from) {
    throw new AppError('VAULT_UNREACHABLE', `The vault at ${place} says that its list goes on, and not where.`);
  }
}
