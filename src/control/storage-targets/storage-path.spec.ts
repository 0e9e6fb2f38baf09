import { describe, expect, it } from 'vitest';
import { storagePathField } from './storage-path.ts';

describe('the path of a storage target', () => {
  it.each([
    ['/srv/backups', '/srv/backups'],
    ['/srv/backups/', '/srv/backups'],
    ['/mnt/NAS 1/käse', '/mnt/NAS 1/käse'],
  ])('%s is taken as %s', (path, taken) => {
    expect(storagePathField.parse(path)).toBe(taken);
  });

  it.each([
    'srv/backups',
    './srv',
    '',
    '/',
    '//',
    '/srv/../etc',
    '/srv/./a',
    '/srv//a',
    '/srv/a\nb',
    'C:\\backups',
    `/${'x'.repeat(1000)}`,
  ])('%j is refused', (path) => {
    expect(storagePathField.safeParse(path).success).toBe(false);
  });
});
