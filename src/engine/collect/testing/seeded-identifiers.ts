import type * as crypto from 'node:crypto';
import { Random } from './random.ts';

let random = new Random(0);

/** From here on the same identifiers, keys and nonces come again. */
export function seedIdentifiers(seed: number): void {
  random = new Random(seed);
}

/** Takes the place of `node:crypto`, for runs that are the same again. */
export async function seededCrypto(original: () => Promise<typeof crypto>): Promise<typeof crypto> {
  const randomUUID = (): `${string}-${string}-${string}-${string}-${string}` => {
    const hex = random.bytes(16).toString('hex');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
  };
  const randomBytes = ((length: number) => random.bytes(length)) as typeof crypto.randomBytes;
  return { ...(await original()), randomBytes, randomUUID };
}
