import { expect, test } from 'vitest';
import { showTime } from './show-time.ts';

test('times are shown, and impossible ones as such', () => {
  expect(showTime(0, 'minute')).toBe('1970-01-01 00:00');
  expect(showTime(1999, 'second')).toBe('1970-01-01 00:00:01');
  expect(showTime(8.64e15, 'minute')).toBe('+275760-09-13 00:00');
  expect(showTime(9e15, 'minute')).toBe('impossible: 9000000000000000');
  expect(showTime(Number.NaN, 'second')).toBe('impossible: NaN');
});
