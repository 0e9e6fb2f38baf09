import type { Repository } from '../../src/engine/index.ts';
import { KillingFiles, type KillAt } from './killing-files.ts';
import { KillingStore } from './killing-store.ts';
import { perform, type Operation, type Outcome } from './operation.ts';
import { openAt, storeAt, type Place } from './place.ts';

/** What a process of the harness is told, one at a time. */
export type ToChild =
  | { readonly type: 'open'; readonly place: Place }
  | { readonly type: 'perform'; readonly operation: Operation; readonly killAt: KillAt | null };

export type FromChild =
  | { readonly type: 'started' }
  | { readonly type: 'opened' }
  | { readonly type: 'done'; readonly outcome: Outcome; readonly changes: number }
  | { readonly type: 'failed'; readonly code: string; readonly message: string };

let repository: Repository | null = null;
let killer: KillingFiles | KillingStore | null = null;

async function open(place: Place): Promise<FromChild> {
  if (place.target.kind === 'directory') {
    const files = new KillingFiles();
    killer = files;
    repository = await openAt(place, storeAt(place, files.files));
  } else {
    const store = new KillingStore(storeAt(place));
    killer = store;
    repository = await openAt(place, store);
  }
  return { type: 'opened' };
}

async function handle(message: ToChild): Promise<FromChild> {
  if (message.type === 'open') {
    return open(message.place);
  }
  if (repository === null || killer === null) {
    throw new Error('Nothing is open.');
  }
  killer.arm(message.killAt);
  const outcome = await perform(repository, message.operation);
  return { type: 'done', outcome, changes: killer.changes };
}

async function answer(message: ToChild): Promise<void> {
  let reply: FromChild;
  try {
    reply = await handle(message);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'UNKNOWN';
    reply = { type: 'failed', code, message: error instanceof Error ? String(error.stack) : String(error) };
  }
  process.send?.(reply);
}

process.on('message', (message: ToChild) => void answer(message));
process.on('disconnect', () => process.exit());
process.send?.({ type: 'started' } satisfies FromChild);
