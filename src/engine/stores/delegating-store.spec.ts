import { expect, expectTypeOf, test } from 'vitest';
import type { Retention, Store } from '../ports/store.ts';
import { DelegatingStore } from './delegating-store.ts';

class Plain extends DelegatingStore {}

const { signal } = new AbortController();
const bytes = new Uint8Array(3);
const retention: Retention = {
  mode: 'compliance',
  lockUntil: async () => {},
  lockedUntil: async () => null,
  meddled: async function* none() {},
  probe: async () => {},
};

type Calls = { [Name in keyof Store as Required<Store>[Name] extends Method ? Name : never]-?: unknown[] };
type Method = (...args: never[]) => unknown;

/** Every method of a store, with everything that it can be given. */
const CALLS: Calls = {
  putIfAbsent: ['a', [bytes], { signal, retainUntil: 5, givesSpaceBack: true }],
  get: ['b', { signal, maxBytes: 6 }],
  getRange: ['c', 7, bytes, signal],
  head: ['d'],
  list: ['e/'],
  delete: ['f'],
  flush: [],
  removeLeftovers: [8, 9],
};

/** Remembers of each call what it was given, and what it answered: an answer like no other. */
function recordingStore(): { readonly store: Store; readonly calls: unknown[][]; readonly answers: unknown[] } {
  const calls: unknown[][] = [];
  const answers: unknown[] = [];
  const methods = Object.keys(CALLS).map((name) => [
    name,
    function record(this: unknown, ...args: unknown[]): unknown {
      calls.push([this === store, name, ...args]);
      const answer = { of: name };
      answers.push(answer);
      return answer;
    },
  ]);
  const store = { description: 'inner', retention, ...Object.fromEntries(methods) } as Store;
  return { store, calls, answers };
}

test.each(Object.entries(CALLS))('%s goes to the store behind with all that it was given', (name, args) => {
  const { store, calls, answers } = recordingStore();
  const plain = new Plain(store) as unknown as Record<string, (...given: unknown[]) => unknown>;
  const answer = plain[name]?.(...args);
  expect(calls).toEqual([[true, name, ...args]]);
  calls[0]?.slice(2).forEach((given, i) => expect(given).toBe(args[i]));
  expect(answer).toBe(answers[0]);
});

test('what the store behind is called, and how it locks, is the same', () => {
  const { store } = recordingStore();
  const plain = new Plain(store);
  expect(plain.description).toBe('inner');
  expect(plain.retention).toBe(retention);
  expectTypeOf<keyof Store>().toEqualTypeOf<keyof Calls | 'description' | 'retention'>();
});

test('what the store behind can’t do isn’t there either', () => {
  const { store } = recordingStore();
  const optional = ['retention', 'removeLeftovers'];
  const less = Object.fromEntries(Object.entries(store).filter(([name]) => !optional.includes(name)));
  const plain = new Plain(less as unknown as Store);
  expect(plain.retention).toBeUndefined();
  expect(plain.removeLeftovers).toBeUndefined();
});
