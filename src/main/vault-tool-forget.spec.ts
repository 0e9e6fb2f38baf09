import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { filesIn, makeSmallVault, runTool, type Outcome, type SmallVault } from './vault-tool/testing/small-vault.ts';

const FAR = Date.UTC(2099, 0, 1);

let world: SmallVault;

beforeEach(async () => {
  world = await makeSmallVault();
});

afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

async function forget(pointId: string, ...more: string[]): Promise<Outcome> {
  return await runTool(['forget-lost', ...world.places, '--point', pointId, ...more]);
}

async function lost(): Promise<readonly string[]> {
  await using repository = await world.open();
  return (await repository.collect()).unreadable;
}

/** Held, and its object gone or replaced. */
async function lose(how: (path: string) => Promise<void>): Promise<void> {
  await using repository = await world.open();
  await repository.placeHold({ pointId: world.first, holdId: 'court', reason: 'a case' });
  await how(join(world.vault, 'points', world.first));
}

async function replace(path: string): Promise<void> {
  await rm(path);
  await writeFile(path, 'garbage');
}

test.each([
  ['removed', rm],
  ['replaced', replace],
])('collection goes on when a held point that was %s is let go of: after its holds', async (_, how) => {
  await lose(how);
  const name = `points/${world.first}`;
  expect(await lost()).toEqual([name]);
  const verified = await runTool(['verify', ...world.places]);
  expect(verified).toMatchObject({ code: 3, out: expect.stringContaining(`forget-lost --point ${world.first}`) });

  expect(await forget(world.first, '--force')).toMatchObject({ code: 1, err: expect.stringContaining('held: court') });
  expect(await lost()).toEqual([name]);
  {
    await using repository = await world.open();
    await repository.releaseHold(world.first, 'court');
  }
  expect(await forget(world.first)).toMatchObject({ code: 1, out: '', err: expect.stringContaining('--force') });
  expect(await lost()).toEqual([name]);
  const done = { code: 0, out: expect.stringContaining(world.first) };
  expect(await forget(world.first, '--force')).toMatchObject(done);
  expect(await lost()).toEqual([]);
  expect(await forget(world.first, '--force')).toMatchObject(done);
  expect(await runTool(['list', ...world.places])).toMatchObject({
    code: 0,
    out: expect.not.stringContaining(world.first),
  });
});

test('a lost point stays until the date that was put down after its backup', async () => {
  {
    await using repository = await world.open();
    await repository.extendRetention(world.first, FAR);
  }
  await rm(join(world.vault, 'points', world.first));
  const refused = await forget(world.first, '--force');
  expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('is retained until') });
  expect(refused.err).toContain(`${new Date(FAR).toISOString().slice(0, 16).replace('T', ' ')} UTC`);
  expect(await lost()).toEqual([`points/${world.first}`]);
});

test('what is not lost is not let go of, nor is what never was', async () => {
  const before = (await filesIn(world, '')).toSorted();
  const whole = await forget(world.first, '--force');
  expect(whole).toMatchObject({ code: 1, out: '', err: expect.stringContaining('is not lost') });
  const none = await forget(randomUUID(), '--force');
  expect(none).toMatchObject({ code: 1, out: '', err: expect.stringContaining('is not in this vault') });
  expect((await filesIn(world, '')).toSorted()).toEqual(before);
  expect(await forget(world.first.slice(0, 8), '--force')).toMatchObject({ code: 2 });
  expect(await runTool(['forget-lost', ...world.places])).toMatchObject({ code: 2 });
});
