import { DirectoryStore, type RetentionMode, type Store } from '../../engine/index.ts';
import { AppError } from '../../kernel/errors.ts';
import type { VaultPlace } from './arguments.ts';
import { readS3Settings } from './s3-credentials.ts';

const S3 = 's3://';
/** What others than Amazon answer to, whatever they are called. */
const ANY_REGION = 'us-east-1';

/** The place that `--vault` names; `retention` if it is to lock objects. `close` ends its connections. */
export async function openStore(
  place: VaultPlace,
  retention?: RetentionMode,
): Promise<{ readonly store: Store; readonly close: () => void }> {
  if (!place.vault.startsWith(S3)) {
    return { store: new DirectoryStore(place.vault), close: () => undefined };
  }
  const [bucket = '', ...rest] = place.vault.slice(S3.length).split('/');
  if (bucket === '') {
    throw new AppError('BAD_INPUT', `${place.vault} names no bucket.`, { hint: 'Write s3://BUCKET/PREFIX.' });
  }
  // Loaded only where it is needed: it takes longer than all else together.
  const { S3Store } = await import('../../engine/stores/s3-store.ts');
  const settings = await readS3Settings(process.env);
  const endpoint = place.endpoint ?? settings.endpoint;
  const store = new S3Store({
    bucket,
    prefix: rest.filter((part) => part !== '').join('/'),
    region: place.region ?? settings.region ?? ANY_REGION,
    credentials: settings.credentials,
    retention,
    ...(endpoint === undefined ? {} : { endpoint }),
  });
  return { store, close: () => store[Symbol.dispose]() };
}
