import type { Store } from '../ports/store.ts';
import { DelegatingStore } from '../stores/delegating-store.ts';

class AlteredStore extends DelegatingStore {}

/** The same store, but for what a test has of its own. */
export function alterStore(store: Store, own: Partial<Store>): Store {
  return Object.assign(new AlteredStore(store), own);
}
