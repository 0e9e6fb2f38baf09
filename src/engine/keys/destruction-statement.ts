import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify, type KeyObject } from 'node:crypto';
import type { DestructionStatement } from '../ports/key-ring.ts';
import { readKeyFile, type KeyFiles } from './key-files.ts';

/** Signs statements; wraps nothing, so that whoever takes it can lie and read nothing. */
const SIGNING_KEY = 'signing-key';

export type Destruction = Omit<DestructionStatement, 'publicKey' | 'signature'>;

export async function signDestruction(files: KeyFiles, destruction: Destruction): Promise<DestructionStatement> {
  const key = await signingKey(files);
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' }).toString('base64');
  const signature = sign(null, signed(destruction, publicKey), key).toString('base64');
  return { ...destruction, publicKey, signature };
}

/** Whether the ring that has `publicKey` signed it; without one: whether the key that the statement names did. */
export function verifyDestructionStatement(statement: DestructionStatement, publicKey = statement.publicKey): boolean {
  const key = createPublicKey({ key: Buffer.from(publicKey, 'base64'), type: 'spki', format: 'der' });
  return verify(null, signed(statement, publicKey), key, Buffer.from(statement.signature, 'base64'));
}

function signed({ tenantId, destroyedAt, repositories, keys }: Destruction, publicKey: string): Buffer {
  const named = keys.map(({ name, sha256 }) => ({ name, sha256 }));
  return Buffer.from(JSON.stringify({ tenantId, destroyedAt, repositories, keys: named, publicKey }), 'utf8');
}

async function signingKey(files: KeyFiles): Promise<KeyObject> {
  const stored = await readKeyFile(files, SIGNING_KEY);
  if (stored !== null) {
    return createPrivateKey({ key: Buffer.from(stored), type: 'pkcs8', format: 'der' });
  }
  const { privateKey } = generateKeyPairSync('ed25519');
  await files.putIfAbsent(SIGNING_KEY, [privateKey.export({ type: 'pkcs8', format: 'der' })]);
  await files.flush();
  return signingKey(files);
}
