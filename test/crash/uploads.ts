import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { readPackTable } from '../../src/engine/format/pack-reader.ts';
import { Finding } from './check.ts';
import { secretsOf, storeAt, type Place } from './place.ts';

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

/** What a backup had stored when it was interrupted is what it stands on when it is done, and no chunk is there twice. */
export async function checkUploads(place: Place, first: Packs, interrupted: Packs): Promise<void> {
  const done = await surveyPacks(place);
  for (const [name, identity] of interrupted) {
    if (!first.has(name) && done.get(name) !== identity) {
      throw new Finding(`${name} was stored by an interrupted backup, and is another one after it went on.`);
    }
  }
  const [store, secrets] = [storeAt(place), await secretsOf(place)];
  const chunks = new Map<string, string>();
  for (const name of [...done.keys()].filter((pack) => !first.has(pack))) {
    const table = await readPackTable(store, 'data', posix.basename(name), secrets);
    for (let frame = 0; frame < table.frameCount; frame += 1) {
      const digest = Buffer.from(table.frame(frame).digest).toString('hex');
      const other = chunks.get(digest);
      if (other !== undefined) {
        throw new Finding(`One backup stored a chunk in ${other} and again in ${name}, after it was interrupted.`);
      }
      chunks.set(digest, name);
    }
  }
}
