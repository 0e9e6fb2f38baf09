import type { S3Client } from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { systemClock } from '../../kernel/clock.ts';
import type { StoredObject } from '../ports/store.ts';
import { S3Attempts, USUAL_PATIENCE } from './s3-attempts.ts';
import { listObjects } from './s3-list.ts';
import type { S3Place } from './s3-place.ts';
import { S3Versions } from './s3-versions.ts';

const GOOD = ['sessions/one', 'condemned/0/x', 'a.b/..c'];
const BAD = ['sessions/one.//x', 'condemned/0//x', 'index/../x', '/x', './x', '.aside/x', 'folder/', ''];

/** A server of which any list is this. */
function placeWith(answer: (key: string) => object): S3Place {
  const [bucket, prefix, description] = ['bucket', 'vault/', 'nowhere'];
  const client = { send: async () => answer(prefix) } as unknown as S3Client;
  const attempts = new S3Attempts(description, USUAL_PATIENCE, systemClock);
  return { client, bucket, prefix, description, attempts, clock: systemClock };
}

async function namesOf(list: AsyncIterable<StoredObject>): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of list) {
    names.push(name);
  }
  return names.toSorted();
}

const entriesBelow = (prefix: string): object[] =>
  [...BAD, ...GOOD].map((name) => ({ Key: `${prefix}${name}`, Size: 1, VersionId: '1' }));

test('a list leaves out keys that no object of the store can have', async () => {
  const place = placeWith((prefix) => ({ Contents: entriesBelow(prefix) }));
  expect(await namesOf(listObjects(place, ''))).toEqual(GOOD.toSorted());
});

test('so does a list of first versions', async () => {
  const place = placeWith((prefix) => ({ Versions: entriesBelow(prefix) }));
  expect(await namesOf(new S3Versions(place).list(''))).toEqual(GOOD.toSorted());
});
