import type { S3Client } from '@aws-sdk/client-s3';
import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
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

export function missingObject(name: string, place: string): AppError {
  return new AppError('VAULT_OBJECT_MISSING', `${name} is not in the vault at ${place}.`, { data: { object: name } });
}
