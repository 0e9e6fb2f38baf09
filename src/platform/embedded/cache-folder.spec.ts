import { expect, it } from 'vitest';
import { cacheFolder } from './cache-folder.ts';

it('is the user’s, so that a second clone finds what the first one built', () => {
  expect(cacheFolder({ XDG_CACHE_HOME: '/var/cache/ada', HOME: '/home/ada' })).toBe('/var/cache/ada/holdfast');
  expect(cacheFolder({ HOME: '/home/ada' })).toBe('/home/ada/.cache/holdfast');
  expect(cacheFolder({ XDG_CACHE_HOME: 'not/absolute', HOME: '/home/ada' })).toBe('/home/ada/.cache/holdfast');
});
