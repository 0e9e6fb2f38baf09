import { timingSafeEqual } from 'node:crypto';
import { AppError } from '../kernel/errors.ts';
import { KIB, MIB } from '../kernel/bytes.ts';
import { BLOCK_BYTES } from './chunking/block-hasher.ts';
import { corrupt, FORMAT_VERSION } from './format/header.ts';
import { repoName } from './format/names.ts';
import { keyedDigest } from './keys/digest.ts';
import type { Store } from './ports/store.ts';
import type { ChunkingParameters } from './types.ts';

export const DEFAULT_PARAMETERS: ChunkingParameters = {
  blockBytes: BLOCK_BYTES,
  minChunkBytes: 64 * KIB,
  averageChunkBytes: 128 * KIB,
  maxChunkBytes: 1024 * KIB,
  segmentBytes: 32 * MIB,
  packBytes: 64 * MIB,
};

const MAX_SEGMENT_BLOCKS = 65_535;
const MAX_PACK_BYTES = 1024 * MIB;
const DIGEST_HEX = 64;

/** The clear text of `repo.<n>`: one line of JSON, and one with the keyed digest of the first. */
export interface RepositoryFile {
  readonly format: number;
  readonly repositoryId: string;
  readonly generation: number;
  readonly suite: string;
  readonly digest: string;
  readonly keyId: string;
  readonly chunking: ChunkingParameters;
}

export const SUITE_NAME = 'AES-256-GCM, HKDF-SHA256';
export const DIGEST_NAME = 'BLAKE3 keyed';

/** BAD_INPUT where parameters don't go together. */
export function checkParameters(parameters: ChunkingParameters): void {
  const { blockBytes, minChunkBytes, averageChunkBytes, maxChunkBytes, segmentBytes, packBytes } = parameters;
  const ordered =
    blockBytes <= minChunkBytes &&
    minChunkBytes < averageChunkBytes &&
    averageChunkBytes < maxChunkBytes &&
    2 * maxChunkBytes < segmentBytes;
  const whole = [minChunkBytes, averageChunkBytes, maxChunkBytes, segmentBytes].every((n) => n % blockBytes === 0);
  const fits = segmentBytes / blockBytes <= MAX_SEGMENT_BLOCKS && packBytes <= MAX_PACK_BYTES;
  if (blockBytes !== BLOCK_BYTES || !ordered || !whole || !fits || packBytes < maxChunkBytes + 64 * KIB) {
    throw new AppError('BAD_INPUT', `Chunking parameters don't go together: ${JSON.stringify(parameters)}.`);
  }
}

export function encodeRepositoryFile(file: RepositoryFile, parametersKey: Uint8Array): Buffer {
  const line = Buffer.from(`${JSON.stringify(file)}\n`, 'utf8');
  const digest = keyedDigest(parametersKey, line).toString('hex');
  return Buffer.concat([line, Buffer.from(`${digest}\n`, 'latin1')]);
}

/** `repo.<generation>`, believed because it is what its writer wrote. */
export async function readRepositoryFile(
  store: Store,
  generation: number,
  parametersKey: Uint8Array,
): Promise<RepositoryFile> {
  const name = repoName(generation);
  const data = await store.get(name);
  const file = parseRepositoryFile(data, name);
  verifyRepositoryFile(data, parametersKey, name);
  if (file.generation !== generation) {
    throw corrupt(name, `describes generation ${file.generation}`);
  }
  return file;
}

/** What `repo.<n>` says, before there are keys to check it with. VAULT_FORMAT_UNKNOWN if it is of a later format. */
export function parseRepositoryFile(data: Uint8Array, name: string): RepositoryFile {
  let file: Partial<RepositoryFile> | null;
  try {
    file = JSON.parse(Buffer.from(data).toString('utf8').split('\n')[0] ?? '') as Partial<RepositoryFile> | null;
  } catch (error) {
    throw corrupt(name, 'is not a description of a repository', error);
  }
  if (!Number.isSafeInteger(file?.format)) {
    throw corrupt(name, 'is not a description of a repository');
  }
  if (file?.format !== FORMAT_VERSION) {
    throw new AppError('VAULT_FORMAT_UNKNOWN', `${name} says format ${String(file?.format)}; this program knows 1.`);
  }
  return file as RepositoryFile;
}

/** Whether the description is what its writer wrote; then it may be believed. */
export function verifyRepositoryFile(data: Uint8Array, parametersKey: Uint8Array, name: string): void {
  const bytes = Buffer.from(data);
  const end = bytes.indexOf('\n') + 1;
  const stored = bytes.toString('latin1', end, end + DIGEST_HEX);
  const wanted = keyedDigest(parametersKey, bytes.subarray(0, end)).toString('hex');
  if (stored.length !== wanted.length || !timingSafeEqual(Buffer.from(stored), Buffer.from(wanted))) {
    throw corrupt(name, 'was changed, or belongs to other keys');
  }
}
