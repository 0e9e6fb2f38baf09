import { isAppError, type AppError } from '../../kernel/errors.ts';
import { isCounted } from '../format/counted-names.ts';
import { CONDEMNED_PREFIX } from '../format/names.ts';
import type { RepositoryContext } from '../repository-context.ts';
import { orDamage } from '../verify/diagnose.ts';

/**
 * What keeps what is condemned from being read, also where everybody passes over it: packs that it names, damaged ones
 * among them, are deduplicated against again. Learns the rest.
 */
export async function surveyCondemned({ condemned, store }: RepositoryContext): Promise<readonly AppError[]> {
  const inTheWay = await condemned.refreshToRead();
  if (inTheWay !== null) {
    return [inTheWay];
  }
  const errors: AppError[] = [];
  for await (const { name } of store.list(CONDEMNED_PREFIX)) {
    const number = name.slice(CONDEMNED_PREFIX.length);
    const found =
      isCounted(number) && Number(number) >= condemned.first ? await orDamage(condemned.read(Number(number))) : null;
    // What is missing was removed since it was listed.
    if (isAppError(found) && found.code !== 'VAULT_OBJECT_MISSING') {
      errors.push(found);
    }
  }
  return errors;
}
