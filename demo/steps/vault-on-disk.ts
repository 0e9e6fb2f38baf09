import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** The storage target's folder; vaults lie in it by their ids. */
export function storageIn(folder: string): string {
  return join(folder, 'storage');
}

/** A command for a shell that lists what is in the customer's vault, with its objects and its keys alone. */
export async function listVault(folder: string): Promise<string> {
  const storage = storageIn(folder);
  const [vaultId] = await readdir(storage);
  if (vaultId === undefined) {
    throw new Error(`there is no vault in ${storage}`);
  }
  return `npx holdfast-vault list --vault ${join(storage, vaultId)} --keys ${join(folder, 'data', 'keys')}`;
}
