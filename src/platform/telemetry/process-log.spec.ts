import { ClsServiceManager } from 'nestjs-cls';
import { QueryFailedError } from 'typeorm';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../kernel/errors.ts';
import { toId } from '../../kernel/ids.ts';
import { systemActor, type Actor } from '../auth/actor.ts';
import { TenantScope } from '../auth/tenant-scope.ts';
import type { LogLevel } from './log-level.ts';
import { ProcessLog } from './process-log.ts';

const TENANT = '018f0000-0000-7000-8000-000000000001';
const TOKEN = '018f0000-0000-7000-8000-000000000002';
const JOB = '018f0000-0000-7000-8000-000000000003';

interface Line extends Record<string, unknown> {
  readonly level: LogLevel;
}

function open(logLevel: LogLevel = 'trace'): {
  readonly log: ProcessLog;
  readonly lines: Line[];
  readonly text: () => string;
} {
  const lines: Line[] = [];
  const write = (text: string): void => void lines.push(JSON.parse(text) as Line);
  return { log: new ProcessLog({ role: 'api', logLevel }, { write }), lines, text: () => JSON.stringify(lines) };
}

describe('the log of a process', () => {
  it('is a line of JSON each: role, level, time, part, message', () => {
    const { log, lines } = open();
    log.warn({ message: 'The feed lost its connection.', tries: 3 }, 'Feed');
    expect(lines).toEqual([
      {
        level: 'warn',
        time: expect.stringMatching(/^\d{4}-.*Z$/),
        role: 'api',
        pid: process.pid,
        part: 'Feed',
        message: 'The feed lost its connection.',
        tries: 3,
      },
    ]);
  });

  it('takes the level of our errors from their kind, and shows a stack only where a mistake has to be found', () => {
    const { log, lines } = open();
    for (const code of ['INTERNAL', 'VAULT_CORRUPT', 'POOL_UNREACHABLE', 'FORBIDDEN', 'NOT_FOUND'] as const) {
      log.error({ err: new AppError(code, 'Something is so.', { cause: new Error('the reason') }) }, 'REST');
    }
    expect(lines.map(({ level, code, kind }) => [level, code, kind])).toEqual([
      ['error', 'INTERNAL', 'bug'],
      ['error', 'VAULT_CORRUPT', 'corrupt'],
      ['warn', 'POOL_UNREACHABLE', 'unavailable'],
      ['info', 'FORBIDDEN', 'forbidden'],
      ['debug', 'NOT_FOUND', 'not_found'],
    ]);
    const stacks = lines.map(({ err }) => typeof (err as { stack?: string }).stack);
    expect(stacks).toEqual(['string', 'string', 'undefined', 'undefined', 'undefined']);
    expect(lines[2]?.['err']).toMatchObject({ cause: { type: 'Error', message: 'the reason' } });
    const others = open();
    others.log.warn({ err: new TypeError('undefined is not a backup') });
    expect(others.lines[0]).toMatchObject({ level: 'warn', err: { type: 'TypeError', stack: expect.any(String) } });
  });

  it('says on whose behalf: of a request its id and tenant, of an activity its job', () => {
    const { log, lines } = open();
    const scope = new TenantScope(ClsServiceManager.getClsService());
    const caller: Actor = { ...systemActor('test', toId(TENANT)), tokenId: toId(TOKEN) };
    scope.run(caller, 'request-1', () => log.info('one'));
    scope.run(systemActor('backupDisk', toId(TENANT)), `backup/${JOB}`, () => log.info('two'));
    scope.runAnonymous('request-2', () => log.info('three'));
    expect(lines).toMatchObject([
      { requestId: 'request-1', tenantId: TENANT, tokenId: TOKEN },
      { workflowId: `backup/${JOB}`, jobId: JOB, tenantId: TENANT },
      { requestId: 'request-2', message: 'three' },
    ]);
  });

  it('never holds a secret or what was sent, wherever somebody put it', () => {
    const { log, text } = open();
    const driver = Object.assign(new Error('connect postgres://holdfast:hunter2@db/holdfast failed'), {
      parameters: ['hunter2'],
      detail: 'Key (name)=(hunter2) already exists.',
    });
    log.error({ err: new AppError('INTERNAL', 'Token hf_live_hunter2 broke it.', { cause: driver }) });
    log.warn({
      message: 'Authorization: Bearer hunter2',
      password: 'hunter2',
      pool: { deep: [{ clientSecret: 'hunter2', tokenId: 'kept' }] },
      request: { body: { name: 'hunter2' }, headers: { cookie: 'hunter2' } },
      url: 'https://root:hunter2@pool.example',
      pem: '-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----',
    });
    expect(text()).not.toContain('hunter2');
    expect(text()).toContain('kept');
  });

  it('holds no parameter of a statement that failed, and no value that PostgreSQL quotes', () => {
    const { log, text } = open();
    const driver = Object.assign(new Error('invalid input syntax for type cidr: "hunter2"'), { code: '22P02' });
    const failed = new QueryFailedError('insert into app.secret values ($1)', ['hunter2'], driver);
    log.error({ err: new AppError('INTERNAL', 'It broke.', { cause: failed }), seen: [failed] }, 'REST');
    log.error(failed);
    log.warn({ message: 'again', reason: failed });
    expect(text()).not.toContain('hunter2');
    expect(text().match(/invalid input syntax for type cidr/g)?.length).toBeGreaterThanOrEqual(3);
  });

  it('leaves out what is below its level, and what Nest says of its own start', () => {
    const { log, lines } = open('info');
    log.log('Mapped {/v1/sites, GET} route', 'RouterExplorer');
    log.debug('small things');
    log.error(new Error('a start that failed'), 'ExceptionHandler');
    expect(lines).toEqual([]);
  });
});
