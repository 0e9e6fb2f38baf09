import { randomUUID } from 'node:crypto';
import { copyFile, cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Catalog } from '../engine/index.ts';
import {
  filesIn,
  flipBit,
  makeSmallVault,
  runTool,
  type Outcome,
  type SmallVault,
} from './vault-tool/testing/small-vault.ts';

let world: SmallVault;

beforeEach(async () => {
  world = await makeSmallVault();
});

afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

async function tool(...args: string[]): Promise<Outcome> {
  return await runTool([...args, ...world.places]);
}

test('what the vault says of itself comes as JSON, damage included', async () => {
  const { code, out } = await tool('catalog');
  expect(code).toBe(0);
  const catalog = JSON.parse(out) as Catalog;
  expect(catalog.points.map(({ pointId }) => pointId).toSorted()).toEqual([world.first, world.second].toSorted());
  expect(catalog).toMatchObject({ epoch: 0, condemned: [], sessions: [], damaged: [] });
  await flipBit(join(world.vault, 'points', world.first), 100);
  const hurt = await tool('catalog');
  expect(hurt).toMatchObject({ code: 3, err: expect.stringContaining(`DAMAGED  points/${world.first}`) });
  expect((JSON.parse(hurt.out) as Catalog).points.map(({ pointId }) => pointId)).toEqual([world.second]);
});

test('damaged packs are condemned where that is asked for, and listed', async () => {
  expect(await tool('condemned')).toMatchObject({ code: 0, out: 'No packs are condemned.\n' });
  const [pack = ''] = await filesIn(world, 'data');
  await flipBit(pack, 100);
  const name = pack.slice(pack.indexOf('data/'));
  expect((await tool('verify', '--level', '1')).out).not.toContain('CONDEMNED');
  expect(await tool('verify', '--level', '1', '--condemn')).toMatchObject({
    code: 3,
    out: expect.stringContaining(`CONDEMNED ${name}`),
  });
  expect((await tool('condemned')).out).toMatch(new RegExp(`^1 .* damaged +${name}$`, 'm'));
});

test('a list of what is condemned that does not open is named by all who look', async () => {
  const [pack = ''] = await filesIn(world, 'data');
  await flipBit(pack, 100);
  await tool('verify', '--level', '1', '--condemn');
  await flipBit(join(world.vault, 'condemned', '1'), 100);
  const named = expect.stringContaining('DAMAGED  condemned/1');
  expect(await tool('condemned')).toMatchObject({ code: 3, err: named });
  expect(await tool('verify', '--level', '0')).toMatchObject({ code: 3, out: named });
  expect(await tool('repair')).toMatchObject({ code: 3, out: named });
});

test('a restore point that is lost and held is in the catalogue as damaged', async () => {
  {
    await using repository = await world.open();
    await repository.placeHold({ pointId: world.first, holdId: randomUUID(), reason: 'case 7' });
  }
  await rm(join(world.vault, 'points', world.first));
  const { code, out, err } = await tool('catalog');
  expect({ code, err }).toMatchObject({ code: 3, err: expect.stringContaining(`DAMAGED  points/${world.first}`) });
  expect((JSON.parse(out) as Catalog).damaged).toMatchObject([{ name: `points/${world.first}` }]);
  const chosen = await tool('config', '--point', world.first);
  expect(chosen).toMatchObject({ code: 1, err: expect.stringContaining('nobody deleted it') });
});

test('a vault whose restore points are all gone is told from an empty one', async () => {
  await rm(join(world.vault, 'points'), { recursive: true });
  const { code, out, err } = await tool('list');
  expect({ code, out }).toEqual({ code: 0, out: 'The vault has no restore points.\n' });
  expect(err).toMatch(/^There are \d+ data packs? all the same/);
});

test('a restore point whose hold is damaged is told to be there, and kept', async () => {
  {
    await using repository = await world.open();
    await repository.placeHold({ pointId: world.first, holdId: randomUUID(), reason: 'case 7' });
  }
  await flipBit(join(world.vault, 'custody', world.first, '1'), 100);
  const { code, out, err } = await tool('list');
  expect({ code, out }).toEqual({ code: 3, out: expect.stringContaining(world.first) });
  expect(err).toContain(`Holds and retention of restore point ${world.first} can't be read`);
  expect(err).toContain('It can be restored, and not deleted');
});

test('the state of a verification says nothing of another vault, nor of a copy', async () => {
  const state = join(world.folder, 'state.json');
  expect((await tool('verify', '--level', '1', '--state', state)).code).toBe(0);
  const kept = JSON.parse(await readFile(state, 'utf8')) as object;
  await writeFile(state, JSON.stringify({ ...kept, finished: false }));
  const copy = join(world.folder, 'copy');
  await cp(world.vault, copy, { recursive: true });
  const [pack = ''] = await filesIn({ ...world, vault: copy }, 'data');
  await flipBit(pack, 100);
  const [, , ...keys] = world.places;
  const other = await runTool(['verify', '--level', '1', '--state', state, '--vault', copy, ...keys]);
  expect(other).toMatchObject({ code: 1, out: '', err: expect.stringContaining(`not of`) });
  expect(JSON.parse(await readFile(state, 'utf8'))).toEqual({ ...kept, finished: false });
  expect((await tool('verify', '--level', '1', '--state', state)).code).toBe(0);
});

test('sessions are listed, with what they pin', async () => {
  expect(await tool('sessions')).toMatchObject({ code: 0, out: 'No sessions are open.\n' });
  await using repository = await world.open();
  const sessionId = randomUUID();
  await repository.beginSession({ sessionId, pointId: randomUUID(), purpose: 'restore', pins: [world.first] });
  expect((await tool('sessions')).out).toMatch(new RegExp(`^${sessionId} +restore .* -  +${world.first}$`, 'm'));
});

test('a lost index comes back', async () => {
  const [segment = ''] = await filesIn(world, 'index');
  await rm(segment);
  expect(await tool('verify')).toMatchObject({ code: 3, out: expect.stringContaining('not-indexed') });
  const repaired = await tool('repair');
  expect(repaired.out).toMatch(/^INDEX +[1-9]\d* packs? put into the index$/m);
  expect(repaired.code).toBe(0);
  expect(repaired.err).toContain('index: 100 %');
  expect((await tool('verify')).code).toBe(0);
  const packs = (await filesIn(world, 'data')).length;
  expect((await tool('rebuild-index')).out).toMatch(new RegExp(`^INDEX    ${packs} packs? put into the index$`, 'm'));
});

test('repair says what is lost, and leaves everything where it is', async () => {
  const [pack = ''] = await filesIn(world, 'data');
  const before = (await filesIn(world, '')).toSorted();
  await rm(pack);
  const { code, out } = await tool('repair');
  expect(code).toBe(3);
  expect(out).toContain(`DAMAGED  ${pack.slice(pack.indexOf('data/'))}  missing`);
  expect(out).toMatch(/LOST .*disk (root|swap): \d+ of \d+ bytes/);
  const after = await filesIn(world, '');
  expect(before.filter((path) => path !== pack && !after.includes(path))).toEqual([]);
});

test('a scrub reads what is due, and the next run the rest', async () => {
  const state = join(world.folder, 'scrub.json');
  const count = (await filesIn(world, 'data')).length;
  const first = await tool('verify', '--scrub', '2', '--state', state);
  const [, read = ''] = /(\d+) packs? checked, \d+ not due yet/.exec(first.out) ?? [];
  expect(Number(read)).toBeGreaterThan(0);
  expect(Number(read)).toBeLessThan(count);
  const kept = JSON.parse(await readFile(state, 'utf8')) as { packs: Record<string, { level: number | null }> };
  expect(Object.keys(kept.packs)).toHaveLength(count);
  expect(Object.values(kept.packs).filter(({ level }) => level === 1)).toHaveLength(Number(read));
});

test('a file that is no state of a verification is left as it is, and so is what lies beside one', async () => {
  const state = join(world.folder, 'package.json');
  await writeFile(state, '{"name":"precious"}');
  const refused = await tool('verify', '--state', state);
  expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('is not the state of a verification') });
  expect(await readFile(state, 'utf8')).toBe('{"name":"precious"}');
  await rm(state);
  await writeFile(`${state}.new`, 'precious');
  expect((await tool('verify', '--state', state)).code).toBe(0);
  expect(await readFile(`${state}.new`, 'utf8')).toBe('precious');
});

test('a vault that no keys are there for is told with those that they are of', async () => {
  const repo = join(world.vault, 'repo.0');
  const text = await readFile(repo, 'utf8');
  const other = randomUUID();
  await writeFile(repo, text.replace(world.repositoryId, other));
  const { code, err } = await tool('list');
  expect(code).toBe(1);
  expect(err).toContain(`has no keys of this vault, ${other}`);
  expect(err).toContain(`It has those of ${world.repositoryId}: if this is one of them, repo.0 is damaged`);
});

test('a lost repo.0 is put back by repair, where the keys are there', async () => {
  await rm(join(world.vault, 'repo.0'));
  expect(await tool('list')).toMatchObject({ code: 1, err: expect.stringContaining('holdfast-vault repair') });
  const repaired = await tool('repair');
  expect(repaired.out).toMatch(/^MENDED {3}repo\.0, of vault .*\nASSUMED {2}the parameters .*64\.0 KiB/);
  expect((await tool('list')).out).toContain('mail server');
});

test('another tenant’s restore point, put into a vault, does not make it theirs', async () => {
  await using other = await makeSmallVault();
  await cp(join(other.keys, 'tenants'), join(world.keys, 'tenants'), { recursive: true });
  await copyFile(join(other.vault, 'points', other.first), join(world.vault, 'points', other.first));
  const repo = join(world.vault, 'repo.0');
  const [before, index] = [await readFile(repo), await filesIn(world, 'index')];
  await tool('repair');
  expect((await readFile(repo)).equals(before)).toBe(true);
  expect(await filesIn(world, 'index')).toEqual(index);
  await rm(repo);
  expect(await tool('repair')).toMatchObject({ code: 3, err: expect.stringContaining('of several repositories') });
  await expect(readFile(repo)).rejects.toThrow('ENOENT');
});
