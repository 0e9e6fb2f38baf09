import { OBJECT_KIND } from '../format/header.ts';
import { numberToObjectId } from '../format/ids.ts';
import { openObject, sealObject } from '../format/sealed-object.ts';
import type { RepositorySecrets } from '../keys/key-schedule.ts';
import type { Store } from '../ports/store.ts';

const PREFIX = 'epoch/';
const NUMBER = /^[1-9]\d{0,14}$/;

/** The highest of the numbered objects below `epoch/`; 0 if there is none. Numbers are only ever added. */
export async function readEpoch(store: Store, secrets: RepositorySecrets): Promise<number> {
  const highest = await findHighest(store);
  if (highest > 0) {
    const name = `${PREFIX}${highest}`;
    openObject(await store.get(name), name, { id: numberToObjectId(highest), kinds: [OBJECT_KIND.epoch] }, secrets);
  }
  return highest;
}

/**
 * Fences every session that began before; for the recovery of a control plane. Returns the new epoch. Also where the one
 * that stands is damaged, which no session could begin with.
 */
export async function raiseEpoch(store: Store, secrets: RepositorySecrets): Promise<number> {
  for (;;) {
    const next = (await findHighest(store)) + 1;
    const sealed = sealObject(OBJECT_KIND.epoch, numberToObjectId(next), new Uint8Array(0), secrets);
    if ((await store.putIfAbsent(`${PREFIX}${next}`, [sealed])) === 'created') {
      await store.flush();
      return next;
    }
  }
}

async function findHighest(store: Store): Promise<number> {
  let highest = 0;
  for await (const { name } of store.list(PREFIX)) {
    const number = name.slice(PREFIX.length);
    highest = NUMBER.test(number) ? Math.max(highest, Number(number)) : highest;
  }
  return highest;
}
