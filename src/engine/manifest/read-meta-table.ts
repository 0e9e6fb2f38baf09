import type { ObjectId } from '../format/ids.ts';
import { readPackTable, type PackTable } from '../format/pack-reader.ts';
import type { RepositorySecrets } from '../keys/key-schedule.ts';
import type { Store } from '../ports/store.ts';
import { requireContents } from './meta-contents.ts';

/** A meta pack as a restore point names it: a `ManifestPack`, without its place. */
export interface NamedMetaPack {
  readonly id: ObjectId;
  readonly contents?: string | undefined;
}

/** The table of a meta pack that a restore point names. VAULT_CORRUPT if it is not the one that was written. */
export async function readMetaTable(
  store: Store,
  { id, contents }: NamedMetaPack,
  secrets: RepositorySecrets,
): Promise<PackTable> {
  const table = await readPackTable(store, 'meta', id, secrets);
  requireContents(table, contents, secrets.digestKey);
  return table;
}
