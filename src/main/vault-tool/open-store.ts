import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { DirectoryStore, type RetentionMode, type Store } from '../../engine/index.ts';
import { AppError } from '../../kernel/errors.ts';
import type { VaultPlace } from './arguments.ts';
import { readS3Settings } from './s3-credentials.ts';

const S3 = 's3://';
/** What others than Amazon answer to, whatever they are called. */
const ANY_REGION = 'us-east-1';

export interface OpenStore {
  readonly store: Store;
  /** The same for the same place, however it was named. */
  readonly place: string;
  /** Ends its connections. */
  readonly close: () => void;
}

/** The place that `--vault` names; `retention` if it is to lock objects. */
export async function openStore(place: VaultPlace, retention?: RetentionMode): Promise<OpenStore> {
  if (!place.vault.startsWith(S3)) {
    // A folder that is not there is told by who reads it.
    const folder = await realpath(place.vault).catch(() => resolve(place.vault));
    return { store: new DirectoryStore(place.vault), place: folder, close: () => undefined };
  }
  const [bucket = '', ...rest] = place.vault.slice(S3.length).split('/');
  if (bucket === '') {
    throw new AppError('BAD_INPUT', `${place.vault} names no bucket.`, { hint: 'Write s3://BUCKET/PREFIX.' });
  }
  // Loaded only where it is needed: it takes longer than all else together.
  const { S3Store } = await import('../../engine/stores/s3-store.ts');
  const settings = await readS3Settings(process.env);
  const endpoint = place.endpoint ?? settings.endpoint;
  const prefix = rest.filter((part) => part !== '').join('/');
  const store = new S3Store({
    bucket,
    prefix,
    region: place.region ?? settings.region ?? ANY_REGION,
    credentials: settings.credentials,
    retention,
    ...(endpoint === undefined ? {} : { endpoint }),
  });
  const at = endpoint === undefined ? '' : ` at ${endpoint}`;
  return { store, place: `${S3}${bucket}/${prefix}${at}`, close: () => store[Symbol.dispose]() };
}
