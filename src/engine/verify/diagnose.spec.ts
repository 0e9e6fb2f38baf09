import { describe, expect, test } from 'vitest';
import { AppError } from '../../kernel/errors.ts';
import { nullIfDamaged, orDamage, requireDamage } from './diagnose.ts';

const unreachable = (errno: string): AppError =>
  new AppError('VAULT_UNREACHABLE', 'No answer.', { data: { errno, object: 'data/00/1' } });

describe.each([
  ['bytes that are wrong', new AppError('VAULT_CORRUPT', 'Broken.')],
  ['an object that is gone', new AppError('VAULT_OBJECT_MISSING', 'Gone.')],
  ['a format that nobody knows', new AppError('VAULT_FORMAT_UNKNOWN', 'Strange.')],
  ['a sector that can’t be read', unreachable('EIO')],
])('%s', (_, damage) => {
  test('is damage, hence an answer', async () => {
    expect(await orDamage(Promise.reject(damage))).toBe(damage);
    expect(await nullIfDamaged(Promise.reject(damage))).toBeNull();
    expect(() => requireDamage(damage)).not.toThrow();
  });
});

describe.each([
  ['a store that does not answer', unreachable('ETIMEDOUT')],
  ['a disk that does not write', new AppError('VAULT_UNREACHABLE', 'Not written.', { data: { errno: 'EIO' } })],
  ['a cancelled run', new AppError('CANCELLED', 'Enough.')],
  ['a mistake in a program', new TypeError('x is not a function')],
])('%s', (_, error) => {
  test('is no damage, hence an error', async () => {
    await expect(orDamage(Promise.reject(error))).rejects.toBe(error);
    await expect(nullIfDamaged(Promise.reject(error))).rejects.toBe(error);
    expect(() => requireDamage(error)).toThrow(error);
  });
});

test('what can be read is the answer', async () => {
  expect([await orDamage(Promise.resolve(0)), await nullIfDamaged(Promise.resolve(''))]).toEqual([0, '']);
});
