import { findHighest, isTakenByNone } from '../format/counted-names.ts';
import { OBJECT_KIND } from '../format/header.ts';
import { numberToObjectId } from '../format/ids.ts';
import { EPOCH_PREFIX, epochName } from '../format/names.ts';
import { openObject, sealObject } from '../format/sealed-object.ts';
import { MAX_BYTES } from '../format/size-limits.ts';
import type { RepositorySecrets } from '../keys/key-schedule.ts';
import type { Store } from '../ports/store.ts';
import { lockLikeVault } from '../retention/lock-like-vault.ts';
import { nullIfDamaged } from '../verify/diagnose.ts';

/** The highest of the numbered objects below `epoch/`; 0 if there is none. Numbers are only ever added. */
export async function readEpoch(store: Store, secrets: RepositorySecrets): Promise<number> {
  const highest = await findHighest(store, EPOCH_PREFIX);
  if (highest > 0) {
    const name = epochName(highest);
    openObject(
      await store.get(name, { maxBytes: MAX_BYTES.epoch }),
      name,
      { id: numberToObjectId(highest), kinds: [OBJECT_KIND.epoch] },
      secrets,
    );
  }
  return highest;
}

/**
 * For those who only read: they change nothing that an epoch would keep them from, and somebody who can write to the
 * store, and put what does not open where the next epoch will be, must not keep them from restoring; nor must a bad sector.
 */
export async function readEpochToRead(store: Store, secrets: RepositorySecrets): Promise<number> {
  return (await nullIfDamaged(readEpoch(store, secrets))) ?? (await findHighest(store, EPOCH_PREFIX));
}

/**
 * Fences every session that began before; for the recovery of a control plane. Returns the new epoch. Also where the one
 * that stands is damaged, which no session could begin with. Locked for as long as the vault is.
 */
export async function raiseEpoch(store: Store, secrets: RepositorySecrets): Promise<number> {
  const options = await lockLikeVault(store);
  for (let least = 1; ;) {
    const next = Math.max(least, (await findHighest(store, EPOCH_PREFIX)) + 1);
    const sealed = sealObject(OBJECT_KIND.epoch, numberToObjectId(next), new Uint8Array(0), secrets);
    if ((await store.putIfAbsent(epochName(next), [sealed], options)) === 'created') {
      await store.flush();
      return next;
    }
    if (await isTakenByNone(store, epochName(next))) {
      least = next + 1;
    }
  }
}
