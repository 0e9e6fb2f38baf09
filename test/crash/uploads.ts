import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Finding } from './check.ts';
import { storeAt, type Place } from './place.ts';

/** Data packs, each with what tells it from another of the same name: its inode, or its bytes. */
export type Packs = ReadonlyMap<string, string>;

export async function surveyPacks(place: Place): Promise<Packs> {
  const store = storeAt(place);
  const packs = new Map<string, string>();
  for await (const { name } of store.list('data/')) {
    packs.set(
      name,
      place.target.kind === 'directory'
        ? String((await stat(join(place.target.folder, name))).ino)
        : createHash('sha256')
            .update(await store.get(name))
            .digest('hex'),
    );
  }
  return packs;
}

/** What a backup had stored when it was interrupted is what it stands on when it is done. */
export function compareUploads(first: Packs, interrupted: Packs, done: Packs): void {
  for (const [name, identity] of interrupted) {
    if (!first.has(name) && done.get(name) !== identity) {
      throw new Finding(`${name} was stored by an interrupted backup, and is another one after it went on.`);
    }
  }
}
