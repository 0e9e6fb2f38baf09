import { timingSafeEqual } from 'node:crypto';
import { AppError } from '../kernel/errors.ts';
import { isUuid } from '../kernel/ids.ts';
import { KIB, MIB } from '../kernel/bytes.ts';
import { BLOCK_BYTES } from './chunking/block-hasher.ts';
import { corrupt, FORMAT_VERSION } from './format/header.ts';
import { repoName } from './format/names.ts';
import { MAX_BYTES } from './format/size-limits.ts';
import { keyedDigest } from './keys/digest.ts';
import { FIRST_GENERATION } from './keys/key-generations.ts';
import type { Store } from './ports/store.ts';
import type { ChunkingParameters } from './repository-options.ts';

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
const REPAIR =
  'Run holdfast-vault repair with the vault’s own keys: it writes repo.0 again if a restore point opens with them.';

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

/** BAD_INPUT where parameters don't go together, naming the first rule that they break. */
export function checkParameters(parameters: ChunkingParameters): void {
  const { blockBytes, minChunkBytes, averageChunkBytes, maxChunkBytes, segmentBytes, packBytes } = parameters;
  const sizes = [minChunkBytes, averageChunkBytes, maxChunkBytes, segmentBytes];
  const rules: readonly (readonly [string, boolean])[] = [
    [`blockBytes is ${BLOCK_BYTES}`, blockBytes === BLOCK_BYTES],
    ['minChunkBytes is at least blockBytes', minChunkBytes >= blockBytes],
    ['averageChunkBytes is more than minChunkBytes', averageChunkBytes > minChunkBytes],
    ['maxChunkBytes is more than averageChunkBytes', maxChunkBytes > averageChunkBytes],
    ['segmentBytes is more than twice maxChunkBytes', segmentBytes > 2 * maxChunkBytes],
    ['chunks and segments are whole blocks', sizes.every((bytes) => bytes % blockBytes === 0)],
    [`a segment has at most ${MAX_SEGMENT_BLOCKS} blocks`, segmentBytes / blockBytes <= MAX_SEGMENT_BLOCKS],
    [`packBytes is at most ${MAX_PACK_BYTES}`, packBytes <= MAX_PACK_BYTES],
    ['packBytes is at least 64 KiB more than maxChunkBytes', packBytes >= maxChunkBytes + 64 * KIB],
  ];
  const broken = rules.find(([, holds]) => !holds);
  if (broken !== undefined) {
    const given = JSON.stringify(parameters);
    throw new AppError('BAD_INPUT', `Chunking parameters don't go together: “${broken[0]}” is broken by ${given}.`);
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
  const data = await store.get(name, { maxBytes: MAX_BYTES.repository });
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
    throw corruptDescription(name, 'is not a description of a repository', error);
  }
  if (!Number.isSafeInteger(file?.format)) {
    throw corruptDescription(name, 'is not a description of a repository');
  }
  if (file?.format !== FORMAT_VERSION) {
    throw new AppError('VAULT_FORMAT_UNKNOWN', `${name} says format ${String(file?.format)}; this program knows 1.`);
  }
  // It becomes a part of messages, and of the names of key files, before anything says that it is genuine.
  if (typeof file.repositoryId !== 'string' || !isUuid(file.repositoryId)) {
    throw corruptDescription(name, 'names no repository');
  }
  return file as RepositoryFile;
}

/** Whether the description is what its writer wrote; then it may be believed. */
export function verifyRepositoryFile(data: Uint8Array, parametersKey: Uint8Array, name: string): void {
  const bytes = Buffer.from(data);
  const end = bytes.indexOf('\n') + 1;
  const stored = bytes.toString('latin1', end, end + DIGEST_HEX);
  const wanted = keyedDigest(parametersKey, bytes.subarray(0, end)).toString('hex');
  if (
    stored.length !== wanted.length ||
    !timingSafeEqual(Buffer.from(stored, 'latin1'), Buffer.from(wanted, 'latin1'))
  ) {
    throw corruptDescription(name, 'was changed, or belongs to other keys');
  }
}

/** Without `repo.0` a vault does not open, so that it can't be verified either. */
function corruptDescription(name: string, what: string, cause?: unknown): AppError {
  return corrupt(name, what, cause, name === repoName(FIRST_GENERATION) ? REPAIR : undefined);
}
