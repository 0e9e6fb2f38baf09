import { AppError, isAppError } from '../../kernel/errors.ts';
import { isUuid } from '../../kernel/ids.ts';
import { createRepository } from '../create-repository.ts';
import { OBJECT_KIND } from '../format/header.ts';
import { uuidToObjectId } from '../format/ids.ts';
import { pointName, repoName } from '../format/names.ts';
import { openObject } from '../format/sealed-object.ts';
import { MAX_BYTES } from '../format/size-limits.ts';
import { deriveParametersKey, deriveSecrets, type RepositorySecrets } from '../keys/key-schedule.ts';
import { FIRST_GENERATION, KeyGenerations } from '../keys/key-generations.ts';
import type { KeyRing } from '../ports/key-ring.ts';
import type { Store } from '../ports/store.ts';
import { DEFAULT_PARAMETERS, parseRepositoryFile, verifyRepositoryFile } from '../repository-parameters.ts';
import type { ChunkingParameters, CreateRepositoryOptions } from '../repository-options.ts';
import { nullIfDamaged, requireDamage } from '../verify/diagnose.ts';

const REPO_NAME = repoName(FIRST_GENERATION);

/** A repository that may be the one in the store, and the ring with its keys. */
export interface MendCandidate {
  readonly tenantId: string;
  readonly repositoryId: string;
  readonly keyRing: KeyRing;
}

type MendOptions = Pick<CreateRepositoryOptions, 'store'> & { readonly parameters?: ChunkingParameters };

/**
 * Writes `repo.0` again where it is lost or damaged: without it nothing else can be opened. Which of the candidates the
 * repository is, its restore points tell: they open with no other's key. Null where none of them does, or where `repo.0`
 * is whole by the keys of any; then nothing was changed. VAULT_CORRUPT where the points are of several candidates, or
 * `repo.0` names a repository that they are not of: whoever can write to the store can put a genuine point of another
 * repository there.
 */
export async function mendParameters<T extends MendCandidate>(
  options: MendOptions,
  candidates: readonly T[],
): Promise<T | null> {
  const { store, parameters = DEFAULT_PARAMETERS } = options;
  const known = (await Promise.all(candidates.map(withSecrets))).filter((candidate) => candidate !== null);
  const found = await readIfThere(store);
  if (found !== null && known.some(({ parametersKey }) => isWhole(found, parametersKey))) {
    return null;
  }
  const [owner, ...others] = await findOwners(store, known);
  if (owner === undefined) {
    return null;
  }
  if (others.length > 0) {
    throw ambiguous([owner, ...others].map(({ candidate }) => candidate));
  }
  const { candidate } = owner;
  requireSameName(found, candidate);
  await store.delete(REPO_NAME);
  const { keyRing, tenantId, repositoryId } = candidate;
  await createRepository({ store, keyRing, tenantId, repositoryId, parameters });
  return candidate;
}

interface Known<T> {
  readonly candidate: T;
  readonly secrets: RepositorySecrets;
  readonly parametersKey: Uint8Array;
}

/** With the keys of all its generations; null where the ring has none. */
async function withSecrets<T extends MendCandidate>(candidate: T): Promise<Known<T> | null> {
  const { keyRing, tenantId, repositoryId } = candidate;
  try {
    const keys = await keyRing.getRepositoryKeys({ tenantId, repositoryId, generation: FIRST_GENERATION });
    const id = uuidToObjectId(repositoryId, 'repository');
    const generations = new KeyGenerations(
      keyRing,
      { tenantId, repositoryId },
      deriveSecrets(keys, id, FIRST_GENERATION),
    );
    await generations.refresh();
    return { candidate, secrets: generations.secrets, parametersKey: deriveParametersKey(keys, id) };
  } catch (error) {
    if (isAppError(error, 'KEY_MISSING', 'KEY_DESTROYED')) {
      return null;
    }
    throw error;
  }
}

/** Null also where it is damaged. What can't be read may be whole. */
async function readIfThere(store: Store): Promise<Uint8Array | null> {
  try {
    return await store.get(REPO_NAME, { maxBytes: MAX_BYTES.repository });
  } catch (error) {
    if (isAppError(error, 'VAULT_OBJECT_MISSING', 'VAULT_CORRUPT')) {
      return null;
    }
    throw error;
  }
}

/** Its digest alone decides: a later format is for a later program to read, and no damage. */
function isWhole(data: Uint8Array, parametersKey: Uint8Array): boolean {
  try {
    verifyRepositoryFile(data, parametersKey, REPO_NAME);
    return true;
  } catch (error) {
    requireDamage(error);
    return false;
  }
}

/** The candidates whose keys open any restore point. Damaged ones are nobody's. */
async function findOwners<T>(store: Store, known: readonly Known<T>[]): Promise<Known<T>[]> {
  const owners = new Set<Known<T>>();
  const prefix = pointName('');
  for await (const { name } of store.list(prefix)) {
    const pointId = name.slice(prefix.length);
    const left = known.filter((one) => !owners.has(one));
    if (left.length === 0) {
      break;
    }
    const data = isUuid(pointId) ? await nullIfDamaged(store.get(name, { maxBytes: MAX_BYTES.point })) : null;
    if (data !== null) {
      left.filter(({ secrets }) => opensPoint(data, pointId, secrets)).forEach((one) => owners.add(one));
    }
  }
  return Array.from(owners);
}

function opensPoint(data: Uint8Array, pointId: string, secrets: RepositorySecrets): boolean {
  const kinds = [OBJECT_KIND.point, OBJECT_KIND.tombstone];
  try {
    openObject(data, pointName(pointId), { id: uuidToObjectId(pointId, 'point'), kinds }, secrets);
    return true;
  } catch (error) {
    requireDamage(error);
    return false;
  }
}

/** A description that can still be read and names another repository may be whole, only that its keys aren't here. */
function requireSameName(data: Uint8Array | null, { repositoryId, tenantId }: MendCandidate): void {
  const named = data === null ? null : nameIn(data);
  if (named !== null && named !== repositoryId) {
    throw new AppError(
      'VAULT_CORRUPT',
      `${REPO_NAME} says repository ${named}, for which no keys were given; restore points here are of ${repositoryId}, of tenant ${tenantId}.`,
      {
        hint: `Give the keys of ${named}. If the vault is ${repositoryId} beyond doubt, move ${REPO_NAME} away and repair again.`,
        data: { object: REPO_NAME },
      },
    );
  }
}

function nameIn(data: Uint8Array): string | null {
  try {
    return parseRepositoryFile(data, REPO_NAME).repositoryId;
  } catch (error) {
    requireDamage(error);
    return null;
  }
}

function ambiguous(candidates: readonly MendCandidate[]): AppError {
  const named = candidates.map(({ repositoryId, tenantId }) => `${repositoryId} (tenant ${tenantId})`);
  return new AppError(
    'VAULT_CORRUPT',
    `${REPO_NAME} is lost or damaged, and the restore points are of several repositories: ${named.join(', ')}.`,
    {
      hint: 'Nothing was changed. Give only the keys of the tenant whose vault it is; points of others were put there by somebody.',
      data: { object: REPO_NAME },
    },
  );
}
