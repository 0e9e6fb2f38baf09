import type { Repository } from '../../engine/index.ts';
import { count } from './count.ts';
import { EXIT } from './exit-codes.ts';
import type { Terminal } from './terminal.ts';
import { report } from './verify-vault.ts';

/** Makes anew what follows from the rest, and says what is lost. `rebuild-index`: all of the index, damaged or not. */
export async function repairVault(
  repository: Repository,
  how: 'repair' | 'rebuild-index',
  terminal: Terminal,
  signal: AbortSignal,
): Promise<number> {
  const progress = terminal.counter('index', 'packs');
  const { indexedPacks, removedSegments, derivedManifests, lockedManifests, raisedEpoch, ...found } = await repository
    .repair({
      index: how === 'repair' ? 'damaged' : 'all',
      signal,
      onProgress: ({ phase, done, total }) => {
        if (phase === 'index') {
          progress.show(done, total);
        }
      },
    })
    .finally(() => progress.end());
  removedSegments.forEach((name) => terminal.print(`REMOVED  ${name}, which was damaged; its content is indexed anew`));
  derivedManifests.forEach((name) =>
    terminal.print(`DERIVED  ${name}, which was damaged, from others that say the same`),
  );
  lockedManifests.forEach((name) =>
    terminal.print(`LOCKED   ${name} could be derived, but the store keeps what is there`),
  );
  if (raisedEpoch !== null) {
    terminal.print(`EPOCH    the object was damaged; it is ${raisedEpoch} now, and what wrote before is fenced`);
  }
  terminal.print(`INDEX    ${count(indexedPacks, 'pack')} put into the index`);
  const { unreadablePacks, verified } = found;
  const named = new Set(verified.damagedObjects.map(({ name }) => name));
  for (const { name, problem, message } of unreadablePacks.filter((pack) => !named.has(pack.name))) {
    terminal.print(`DAMAGED  ${name}  ${problem}: ${message} No restore point needs it.`);
  }
  report(verified, terminal);
  return verified.damagedObjects.length === 0 ? EXIT.done : EXIT.damaged;
}
