import { expect, test } from 'vitest';
import { afterInterrupt } from './after-interrupt.ts';
import { readArguments } from './arguments.ts';

const PLACES = ['--vault', '/vaults/acme', '--keys', '/keys'];

test.each([
  ['restore', '--point', 'a', '--to', 'b', '--resume', 'c'],
  ['copy', '--to', '/vaults/other'],
  ['verify', '--state', 'a'],
])('it is said how what goes on goes on: %s %s', (...args) => {
  expect(afterInterrupt(readArguments([...args, ...PLACES]))).toContain('The same command line goes on');
});

test.each([['restore', '--point', 'a', '--to', 'b'], ['verify'], ['list']])(
  'what begins anew is not said to go on: %s',
  (...args) => {
    expect(afterInterrupt(readArguments([...args, ...PLACES]))).toBe('interrupted.');
  },
);
