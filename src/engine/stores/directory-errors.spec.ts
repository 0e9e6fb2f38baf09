import { expect, test } from 'vitest';
import { toStoreError } from './directory-errors.ts';

const denied = Object.assign(new Error('denied'), { code: 'EACCES' });

test.each(['read data/01/0123', 'list points', 'look for repo.0', 'find the directory'])(
  'who may not %s is told to get leave to read, and not to write',
  (what) => {
    const { code, hint } = toStoreError(denied, what, '/vaults/acme');
    expect({ code, hint }).toEqual({ code: 'VAULT_READ_ONLY', hint: expect.stringMatching(/read \/vaults\/acme/) });
    expect(hint).not.toContain('write');
  },
);

test('who may not write is told so', () => {
  expect(toStoreError(denied, 'write epoch/1', '/vaults/acme').hint).toContain('write permission');
});
