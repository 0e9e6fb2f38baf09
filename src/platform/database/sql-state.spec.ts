import { QueryRunnerAlreadyReleasedError, QueryRunnerProviderAlreadyReleasedError } from 'typeorm';
import { describe, expect, it } from 'vitest';
import { toDatabaseError } from './sql-state.ts';

describe('an error of the database', () => {
  it.each([
    ['a connection that was lost between two statements', new QueryRunnerAlreadyReleasedError()],
    ['a transaction whose connection was lost', new QueryRunnerProviderAlreadyReleasedError()],
    ['a server that is shutting down', Object.assign(new Error('terminating connection'), { code: '57P01' })],
    ['a socket that was reset', Object.assign(new Error('read'), { code: 'ECONNRESET' })],
    ['a pool that waited in vain', new Error('timeout exceeded when trying to connect')],
  ])('is DATABASE_UNAVAILABLE for %s', (_, error) => {
    expect(toDatabaseError(error)).toMatchObject({ code: 'DATABASE_UNAVAILABLE', cause: error });
  });

  it('stays what it is where the statement is at fault', () => {
    const error = Object.assign(new Error('duplicate key'), { code: '23505' });
    expect(toDatabaseError(error)).toBe(error);
  });
});
