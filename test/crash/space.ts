import { Finding } from './check.ts';
import { collectAll } from './operation.ts';
import { openAt, storeAt, type Place } from './place.ts';
import { SMALL_PARAMETERS } from '../../src/engine/testing/test-vault.ts';
import type { World } from './world.ts';

/** A pack may be half empty before it is worth its while. */
const WASTE = 2;

/** After a collection there is nothing in a vault but what its restore points need, within bounds. */
export async function checkSpace(place: Place, world: World): Promise<void> {
  const store = storeAt(place);
  await using repository = await openAt(place, store);
  await collectAll(repository);
  const left = { data: 0, sessions: 0 };
  for await (const { name, sizeBytes } of store.list('')) {
    left.data += name.startsWith('data/') ? sizeBytes : 0;
    left.sessions += name.startsWith('sessions/') ? 1 : 0;
  }
  if (left.sessions > 0) {
    throw new Finding(`${left.sessions} objects of sessions are left of which nobody is alive.`);
  }
  const allowed = WASTE * (world.diskBytes() + SMALL_PARAMETERS.packBytes);
  if (left.data > allowed) {
    throw new Finding(`${left.data} bytes of data packs are left; restore points of ${world.diskBytes()} are there.`);
  }
}
