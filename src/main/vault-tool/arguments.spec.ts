import { expect, test } from 'vitest';
import { readArguments } from './arguments.ts';

const PLACES = ['--vault', '/vaults/acme', '--keys', '/keys'];

test.each([
  [['restore', ...PLACES, '--point', 'a', '--to', '-'], "can't be piped"],
  [['list', '--vault', 's3://', '--keys', '/keys'], '--vault s3:// names no bucket'],
  [['list', '--vault', 's3:///acme', '--keys', '/keys'], '--vault s3:///acme names no bucket'],
  [['copy', ...PLACES, '--to', 's3://'], '--to s3:// names no bucket'],
  [['list', ...PLACES, '--bogus=1'], 'There is no option --bogus.'],
  [['list', ...PLACES, '-x'], 'There is no option -x.'],
])('%j is refused before anything is opened', (args, says) => {
  expect(() => readArguments(args)).toThrow(
    expect.objectContaining({ code: 'BAD_INPUT', message: expect.stringContaining(says) }),
  );
});

test('a version is asked for without a vault', () => {
  expect(readArguments(['--version'])).toEqual({ command: 'version' });
});
