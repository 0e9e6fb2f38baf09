import { hkdfSync } from 'node:crypto';
import type { ObjectHeader } from '../format/header.ts';
import { idBytes } from '../format/ids.ts';
import type { RepositoryKeys } from '../ports/key-ring.ts';

/**
 * What a repository's keys are used for; everything here is derived. Plain bytes, so that workers can be given it.
 * While a repository is open its `KeyGenerations` adds to this: look at it when it is needed, and keep no copy.
 */
export interface RepositorySecrets {
  /** 32 hex digits. */
  readonly repositoryId: string;
  /** The newest generation: what is written is sealed with it. */
  readonly generation: number;
  /** Of the newest generation. */
  readonly objectRoot: Uint8Array;
  /** Of every generation that is known: an object is opened with that of its header. */
  readonly objectRoots: ReadonlyMap<number, Uint8Array>;
  /** Keyed BLAKE3 of chunks: one per tenant. */
  readonly digestKey: Uint8Array;
  /** Where disks are cut: one per tenant. */
  readonly chunkSeed: Uint8Array;
  /** Names what is named by its content: manifests, index segments, journals. Of generation 0, through all of them. */
  readonly nameKey: Uint8Array;
}

/** Every object's own keys. */
export interface ObjectKeys {
  readonly frameKey: Uint8Array;
  readonly tableKey: Uint8Array;
  /** Stored in the footer: GCM alone would open under more than one key. */
  readonly commitment: Uint8Array;
}

/** Of a repository of which one generation is known. */
export function deriveSecrets(keys: RepositoryKeys, repositoryId: string, generation: number): RepositorySecrets {
  const none = new Uint8Array(0);
  const objectRoot = deriveObjectRoot(keys, repositoryId);
  return {
    repositoryId,
    generation,
    objectRoot,
    objectRoots: new Map([[generation, objectRoot]]),
    nameKey: hkdf(keys.repositoryKey, idBytes(repositoryId), 'holdfast names 1', 32),
    digestKey: hkdf(keys.dedupSecret, none, 'holdfast chunk digest 1', 32),
    chunkSeed: hkdf(keys.dedupSecret, none, 'holdfast chunk seed 1', 32),
  };
}

export function deriveObjectRoot({ repositoryKey }: RepositoryKeys, repositoryId: string): Uint8Array {
  return hkdf(repositoryKey, idBytes(repositoryId), 'holdfast objects 1', 32);
}

/** Authenticates `repo.<n>` of the keys' generation. */
export function deriveParametersKey({ repositoryKey }: RepositoryKeys, repositoryId: string): Uint8Array {
  return hkdf(repositoryKey, idBytes(repositoryId), 'holdfast parameters 1', 32);
}

export function deriveObjectKeys(objectRoot: Uint8Array, header: ObjectHeader): ObjectKeys {
  const info = Buffer.concat([
    Buffer.from('holdfast object 1\0', 'latin1'),
    Buffer.from([header.kind]),
    idBytes(header.id),
  ]);
  const bytes = hkdf(objectRoot, header.salt, info, 96);
  return { frameKey: bytes.subarray(0, 32), tableKey: bytes.subarray(32, 64), commitment: bytes.subarray(64, 96) };
}

function hkdf(key: Uint8Array, salt: Uint8Array, info: string | Uint8Array, length: number): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', key, salt, info, length));
}
