import { seededCrypto } from '../../../src/engine/collect/testing/seeded-identifiers.ts';

/** `node:crypto`, but for identifiers, keys and nonces, which come from `seedIdentifiers`. */
export * from 'node:crypto';
export const { randomBytes, randomUUID } = await seededCrypto(() => import('node:crypto'));
