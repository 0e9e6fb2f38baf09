import { ListObjectsV2Command, type ListObjectsV2CommandOutput } from '@aws-sdk/client-s3';
import type { StoredObject } from '../ports/store.ts';
import { isObjectName } from './object-name.ts';
import { requireProgress, type S3Place } from './s3-place.ts';

/** What is there in a bucket that keeps no versions. What comes or goes meanwhile may be listed or not. */
export async function* listObjects(place: S3Place, prefix: string): AsyncIterable<StoredObject> {
  let last: string | undefined;
  for await (const page of pages(place, prefix)) {
    for (const { Key, Size } of page.Contents ?? []) {
      const name = Key?.slice(place.prefix.length) ?? '';
      // Some tools make empty objects that look like folders, or keys that no request of this store could be for; some
      // servers begin an answer with the end of the last.
      if (Key !== last && isObjectName(name)) {
        last = Key;
        yield { name, sizeBytes: Size ?? 0 };
      }
    }
  }
}

async function* pages(
  { client, bucket, prefix, attempts, description }: S3Place,
  start: string,
): AsyncIterable<ListObjectsV2CommandOutput> {
  const what = `list ${start === '' ? 'everything' : start}`;
  let ContinuationToken: string | undefined;
  for (;;) {
    const command = { Bucket: bucket, Prefix: `${prefix}${start}`, ContinuationToken };
    const page: ListObjectsV2CommandOutput = await attempts.run({
      what,
      action: 'read',
      bytes: 0,
      attempt: (abortSignal) => client.send(new ListObjectsV2Command(command), { abortSignal }),
    });
    yield page;
    if (page.IsTruncated !== true) {
      return;
    }
    requireProgress(ContinuationToken, page.NextContinuationToken, description);
    ContinuationToken = page.NextContinuationToken;
  }
}
