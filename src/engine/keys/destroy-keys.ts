import { createHash } from 'node:crypto';
import { isoTime } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import type { DestructionStatement } from '../ports/key-ring.ts';
import { signDestruction, type Destruction } from './destruction-statement.ts';
import { namesIn, readKeyFile, type KeyFiles } from './key-files.ts';
import { destroyedName, kekVersion, repositoriesPrefix, statementName } from './key-names.ts';

/**
 * The decision comes first and is durable before anything is erased: from then on no key is given out. The
 * key-encryption keys go next; without them the rest opens nothing.
 */
export async function destroyKeys(files: KeyFiles, tenantId: string, now: number): Promise<DestructionStatement> {
  const destruction = (await findDestruction(files, tenantId)) ?? (await decide(files, tenantId, now));
  await eraseAll(files, tenantId);
  const name = statementName(tenantId);
  if ((await readKeyFile(files, name)) === null) {
    await putJson(files, name, await signDestruction(files, destruction));
  }
  return (await readJson<DestructionStatement>(files, name)) ?? (await signDestruction(files, destruction));
}

export async function findDestruction(files: KeyFiles, tenantId: string): Promise<Destruction | null> {
  return readJson<Destruction>(files, destroyedName(tenantId));
}

/** Throws KEY_DESTROYED, and says when and what, if it was decided. */
export async function requireNotDestroyed(files: KeyFiles, tenantId: string): Promise<void> {
  const destruction = await findDestruction(files, tenantId);
  if (destruction === null) {
    return;
  }
  const { destroyedAt, keys, repositories } = destruction;
  const when = isoTime(destroyedAt);
  const what = `${keys.length} keys, of ${repositories.length} repositories`;
  throw new AppError('KEY_DESTROYED', `The keys of tenant ${tenantId} were destroyed on ${when}: ${what}.`, {
    data: { tenantId, destroyedAt: when, keys: keys.length, repositories },
  });
}

/** A rotation that ends after the decision may have put keys after they were erased: then this is done again. */
export async function eraseAll(files: KeyFiles, tenantId: string): Promise<void> {
  const kept = new Set([destroyedName(tenantId), statementName(tenantId)]);
  for (;;) {
    const names = (await namesIn(files, `${tenantId}/`)).filter((name) => !kept.has(name));
    if (names.length === 0) {
      return;
    }
    const keks = names.filter((name) => kekVersion(name) !== null);
    for (const name of keks) {
      await files.erase(name);
    }
    for (const name of keks.length > 0 ? [] : names) {
      await files.delete(name);
    }
    await files.flush();
  }
}

async function decide(files: KeyFiles, tenantId: string, now: number): Promise<Destruction> {
  const names = await namesIn(files, `${tenantId}/`);
  if (names.length === 0) {
    throw new AppError('KEY_MISSING', `There are no keys of tenant ${tenantId} that could be destroyed.`);
  }
  const keys: { name: string; sha256: string }[] = [];
  for (const name of names.toSorted()) {
    const content = await readKeyFile(files, name);
    keys.push({
      name,
      sha256: createHash('sha256')
        .update(content ?? '')
        .digest('hex'),
    });
  }
  const prefix = repositoriesPrefix(tenantId);
  const below = names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length).split('.')[0]);
  const repositories = [...new Set(below.filter((id) => id !== undefined))].toSorted();
  const destruction: Destruction = { tenantId, destroyedAt: now, repositories, keys };
  await putJson(files, destroyedName(tenantId), destruction);
  return (await findDestruction(files, tenantId)) ?? destruction;
}

async function putJson(files: KeyFiles, name: string, value: Destruction | DestructionStatement): Promise<void> {
  await files.putIfAbsent(name, [Buffer.from(`${JSON.stringify(value, null, 2)}\n`, 'utf8')]);
  await files.flush();
}

async function readJson<T extends Destruction>(files: KeyFiles, name: string): Promise<T | null> {
  const data = await readKeyFile(files, name);
  return data === null ? null : (JSON.parse(Buffer.from(data).toString('utf8')) as T);
}
