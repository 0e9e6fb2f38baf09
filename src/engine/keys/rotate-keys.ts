import { randomBytes } from 'node:crypto';
import { AppError } from '../../kernel/errors.ts';
import type { KeyChain, OpenedKey } from './key-chain.ts';
import { namesIn, type KeyFiles } from './key-files.ts';
import { dedupBase, kekName, masterBase, masterNumber, parseWrapped, repositoriesPrefix } from './key-names.ts';

const KEY_BYTES = 32;

/*
 * A rotation puts the new key, then wraps what is below it anew, reads that back, and only then removes what is older.
 * At each instant everything opens with what is there; interrupted anywhere, the next rotation goes on. Who makes a key
 * meanwhile puts it first and then looks for a newer one above it; who rotates puts that first and then looks for keys:
 * one of the two sees the other.
 */

export async function rotateKek(files: KeyFiles, chain: KeyChain): Promise<void> {
  await settle(files, chain);
  await chain.kek(((await chain.keks())[0] ?? 0) + 1);
  await settle(files, chain);
}

export async function rotateMaster(files: KeyFiles, chain: KeyChain): Promise<void> {
  const { version } = await settle(files, chain);
  do {
    const base = masterBase(chain.tenantId, version + 1);
    await chain.wrap(base, await chain.newestKek(), randomBytes(KEY_BYTES));
    // The key-encryption key may have been replaced, and be gone, before the new master key was there to be seen.
  } while ((await settle(files, chain)).version === version);
}

/** Leaves one version of each key, all of it wrapped with the newest of what is above it. Returns the master key. */
async function settle(files: KeyFiles, chain: KeyChain): Promise<OpenedKey> {
  for (const base of await chain.masters()) {
    await rewrap(chain, base, await chain.newestKek());
  }
  const master = await chain.newestMaster();
  if (master === null) {
    throw new AppError('KEY_MISSING', `Tenant ${chain.tenantId} has no master key that opens.`);
  }
  for (const base of await bases(files, chain.tenantId)) {
    await rewrap(chain, base, master);
  }
  await removeOld(files, chain);
  return master;
}

async function rewrap(chain: KeyChain, base: string, above: OpenedKey): Promise<void> {
  const opened = await chain.open(base);
  if (opened !== null && opened.version < above.version) {
    await chain.wrap(base, above, opened.key);
  }
}

/** Only what is there in a newer form that opens; and what is above only once nothing is below it any more. */
async function removeOld(files: KeyFiles, chain: KeyChain): Promise<void> {
  const { tenantId } = chain;
  for (const base of [...(await chain.masters()), ...(await bases(files, tenantId))]) {
    const opened = await chain.open(base);
    const old = (await chain.wrappedAs(base)).filter(({ version }) => opened !== null && version < opened.version);
    for (const { name } of old) {
      await files.delete(name);
    }
  }
  await files.flush();
  const newest = await chain.newestMaster();
  const older = (await chain.masters()).filter((base) => newest !== null && masterNumber(base) < newest.version);
  const inUse = new Set<number>();
  for (const base of await bases(files, tenantId)) {
    (await chain.wrappedAs(base)).forEach(({ version }) => inUse.add(version));
  }
  for (const base of older.filter((base) => !inUse.has(masterNumber(base)))) {
    for (const { name } of await chain.wrappedAs(base)) {
      await files.delete(name);
    }
  }
  await files.flush();
  await removeOldKeks(files, chain);
}

async function removeOldKeks(files: KeyFiles, chain: KeyChain): Promise<void> {
  const inUse = new Set<number>();
  for (const base of await chain.masters()) {
    (await chain.wrappedAs(base)).forEach(({ version }) => inUse.add(version));
  }
  const [newest, ...older] = await chain.keks();
  for (const version of older.filter((version) => newest !== undefined && !inUse.has(version))) {
    await files.erase(kekName(chain.tenantId, version));
  }
  await files.flush();
}

/** The keys below the master key: the dedup secret, and those of repositories. */
async function bases(files: KeyFiles, tenantId: string): Promise<string[]> {
  const names = [
    ...(await namesIn(files, `${dedupBase(tenantId)}.`)),
    ...(await namesIn(files, repositoriesPrefix(tenantId))),
  ];
  return [...new Set(names.map((name) => parseWrapped(name)?.base).filter((base) => base !== undefined))];
}
