import { randomBytes, randomUUID } from 'node:crypto';
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Repository } from '../engine/index.ts';
import { formatBytes } from '../kernel/bytes.ts';
import {
  backUp,
  copyIn,
  filesIn,
  flipBit,
  makeEmptyVault,
  makeSmallVault,
  runTool,
  type EmptyVault,
  type SmallVault,
} from './vault-tool/testing/small-vault.ts';

let here: SmallVault;
let there: SmallVault;
let target: readonly string[];

beforeAll(async () => {
  const tenantId = randomUUID();
  [here, there] = await Promise.all([makeSmallVault(undefined, tenantId), makeSmallVault(undefined, tenantId)]);
  target = to(there);
});

afterAll(async () => {
  await Promise.all([here, there].map((vault) => vault[Symbol.asyncDispose]()));
});

function to({ vault, keys }: EmptyVault): readonly string[] {
  return ['--to', vault, '--to-keys', keys];
}

async function copyOf(pointId: string, vault: EmptyVault): Promise<string> {
  await using repository = await vault.open();
  return (await copyIn(repository, pointId))?.pointId ?? '';
}

async function read(repository: Repository, pointId: string, diskKey: string): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const { data, length } of repository.readDisk({ pointId, diskKey })) {
    pieces.push(data?.slice() ?? new Uint8Array(length));
  }
  return Buffer.concat(pieces);
}

test('it copies one restore point, then those that are left, then none', async () => {
  const one = await runTool(['copy', ...here.places, ...target, '--point', here.first.slice(0, 8)]);
  expect(one).toMatchObject({ code: 0, out: expect.stringContaining('Copied 1 restore point.') });
  const rest = await runTool(['copy', ...here.places, ...target]);
  expect(rest).toMatchObject({ code: 0, out: expect.stringContaining(`${here.second} is now `) });
  const all = formatBytes(here.root.length + here.swap.length);
  expect(rest.err).toContain(`copy ${here.second}: 100 %, ${all} of ${all}`);
  const none = await runTool(['copy', ...here.places, ...target]);
  expect(none).toMatchObject({ code: 0, out: 'Nothing is left to copy.\n' });

  await using repository = await there.open();
  const copy = await copyIn(repository, here.second);
  expect(copy?.info['vmName']).toBe('mail server');
  expect((await read(repository, copy?.pointId ?? '', 'root')).equals(here.root)).toBe(true);
  expect((await read(repository, copy?.pointId ?? '', 'swap')).equals(here.swap)).toBe(true);
  const early = await copyIn(repository, here.first);
  const again = await runTool([
    'copy',
    ...here.places,
    ...target,
    '--point',
    here.first,
    '--retain-until',
    '2099-01-01',
  ]);
  const said = `Restore point ${here.first} is there already, as ${early?.pointId}. Its date was not changed.`;
  expect(again).toMatchObject({ code: 0, out: `${said}\nNothing is left to copy.\n` });
});

test('another tenant’s vault gets nothing, unless it is said that it is to', async () => {
  await using other = await makeSmallVault();
  const tenants = join(other.keys, 'tenants');
  await cp(join(here.keys, 'tenants'), tenants, { recursive: true });
  const from = ['copy', '--vault', here.vault, '--to', other.vault, '--keys'];
  for (const more of [[], ['--to-tenant', here.tenantId]]) {
    const refused = await runTool([...from, other.keys, ...more]);
    expect(refused).toMatchObject({ code: 1, out: '', err: expect.stringContaining(`of tenant ${other.tenantId}`) });
    expect(refused.err).toContain(here.tenantId);
  }
  const reverse = await runTool(['copy', '--vault', other.vault, '--to', here.vault, '--keys', other.keys]);
  expect(reverse).toMatchObject({ code: 1, err: expect.stringContaining(`of tenant ${here.tenantId}`) });
  const own = await runTool([...from, join(tenants, here.tenantId), '--to-tenant', other.tenantId]);
  expect(own).toMatchObject({ code: 1, err: expect.stringContaining('has no keys of this vault') });
  await using repository = await other.open();
  expect(await copyIn(repository, here.first)).toBeUndefined();
  const meant = [...from, join(tenants, here.tenantId), '--to-keys', tenants, '--to-tenant', other.tenantId];
  expect(await runTool([...meant, '--point', here.first])).toMatchObject({ code: 0 });
  expect(await copyIn(repository, here.first)).toBeDefined();
});

test('a vault that is another than was said is not opened', async () => {
  const right = ['--repository', here.repositoryId];
  expect(await runTool(['list', ...here.places, ...right])).toMatchObject({ code: 0 });
  const wrong = await runTool(['list', ...here.places, '--repository', there.repositoryId]);
  expect(wrong).toMatchObject({ code: 1, out: '', err: expect.stringContaining(`not ${there.repositoryId}`) });
  const wrongTarget = await runTool(['copy', ...here.places, ...target, '--to-repository', here.repositoryId]);
  expect(wrongTarget).toMatchObject({ code: 1, err: expect.stringContaining(`is ${there.repositoryId}`) });
  expect(await runTool(['list', ...here.places, '--repository', 'x'])).toMatchObject({ code: 2 });
});

test('it refuses a target that is the source, or is not said', async () => {
  const same = await runTool(['copy', ...here.places, '--to', here.vault]);
  expect(same).toMatchObject({ code: 1, err: expect.stringContaining('--to is the vault that is copied from') });
  expect(same.err).toContain('Give another vault with --to');
  expect(await runTool(['copy', ...here.places])).toMatchObject({ code: 2 });
});

test.each([
  [['--retain-until', 'tomorrow'], 'YYYY-MM-DD'],
  [['--retain-until', '2099-02-31'], 'YYYY-MM-DD'],
  [['--retain-until', '2020-01-01'], 'still to come'],
  [['--retain-until', '2099-01-01', '--to-retention', 'governance'], 's3://BUCKET/PREFIX'],
  [['--to', 's3://b/p', '--to-retention', 'governance'], '--retain-until'],
  [['--to', 's3://b/p', '--retain-until', '2099-01-01', '--to-retention', 'for good'], 'governance or compliance'],
])('it refuses a date or a lock that means nothing: %j', async (how, says) => {
  const place = how.includes('--to') ? [] : target;
  const outcome = await runTool(['copy', ...here.places, ...place, ...how]);
  expect(outcome).toMatchObject({ code: 2, err: expect.stringContaining(says) });
});

test('it names a restore point whose own object is damaged, and copies the others', async () => {
  await using empty = await makeEmptyVault(undefined, here.tenantId);
  const damaged = await flipBit(join(here.vault, 'points', here.first), 120);
  const outcome = await runTool(['copy', ...here.places, ...to(empty)]);
  expect(outcome).toMatchObject({ code: 3, err: expect.stringContaining(`Restore point ${here.first} can't be read`) });
  expect(outcome.out).toContain(`${here.second} is now `);
  const one = await runTool(['copy', ...here.places, ...to(empty), '--point', here.second]);
  expect(one).toMatchObject({ code: 0, err: '' });
  await damaged.undo();
});

test('a copy that can’t be read is named and made again', async () => {
  await using empty = await makeEmptyVault(undefined, here.tenantId);
  await runTool(['copy', ...here.places, ...to(empty)]);
  const pointId = await copyOf(here.first, empty);
  await flipBit(join(empty.vault, 'points', pointId), 120);
  const outcome = await runTool(['copy', ...here.places, ...to(empty)]);
  expect(outcome).toMatchObject({ code: 0, err: expect.stringContaining(`${pointId} of the other vault is damaged`) });
  expect(outcome.out).toContain(`${here.first} is now `);
});

test('what is lost fails the restore points that need it, leaves nothing open, and no other out', async () => {
  await using from = await makeSmallVault();
  await using empty = await makeEmptyVault(undefined, from.tenantId);
  const damaged = await Promise.all((await filesIn(from, 'data')).map(async (path) => await flipBit(path, 200)));
  const later = randomUUID();
  {
    await using repository = await from.open();
    await backUp(repository, later, { root: randomBytes(90_000) }, 1);
  }
  const outcome = await runTool(['copy', ...from.places, ...to(empty)]);
  expect(outcome.code).toBe(3);
  [from.first, from.second].forEach((id) => expect(outcome.err).toContain(`Restore point ${id} was not copied: `));
  expect(outcome.out).toContain(`${later} is now `);
  expect([...(await filesIn(from, 'sessions')), ...(await filesIn(empty, 'sessions'))]).toEqual([]);

  await Promise.all(damaged.map(async ({ undo }) => await undo()));
  expect(await runTool(['copy', ...from.places, ...to(empty)])).toMatchObject({ code: 0 });
  expect(await copyOf(from.second, empty)).not.toBe('');
});

test('copies that were interrupted and taken for dead, however many, are begun anew and not counted', async () => {
  await using empty = await makeEmptyVault(undefined, here.tenantId);
  {
    await using from = await here.open();
    await using other = await empty.open();
    for (let dead = 0; dead < 3; dead += 1) {
      const [sessionId, pointId] = [randomUUID(), randomUUID()];
      await from.beginSession({ sessionId, pointId, purpose: 'copy', pins: [here.first] });
      await other.fence(pointId);
    }
  }
  const outcome = await runTool(['copy', ...here.places, ...to(empty), '--point', here.first]);
  expect(outcome).toMatchObject({ code: 0, out: expect.stringContaining(`${here.first} is now `) });
  expect(await copyOf(here.first, empty)).not.toBe('');
  expect([...(await filesIn(here, 'sessions')), ...(await filesIn(empty, 'sessions'))]).toEqual([]);
});

test('a held restore point that is not there any more is missed, by a list and by a copy', async () => {
  await using from = await makeSmallVault();
  await using empty = await makeEmptyVault(undefined, from.tenantId);
  {
    await using repository = await from.open();
    await repository.placeHold({ pointId: from.first, holdId: 'court', reason: 'a case' });
  }
  await rm(join(from.vault, 'points', from.first));
  const missed = { code: 3, err: expect.stringContaining(`Restore point ${from.first} is not in the vault`) };
  expect(await runTool(['list', ...from.places])).toMatchObject({
    ...missed,
    out: expect.stringContaining(from.second),
  });
  const copied = await runTool(['copy', ...from.places, ...to(empty)]);
  expect(copied).toMatchObject({ ...missed, out: expect.stringContaining(`${from.second} is now `) });
  const again = await runTool(['copy', ...from.places, ...to(empty)]);
  expect(again).toMatchObject({ ...missed, out: 'Nothing is left to copy.\n' });
});
