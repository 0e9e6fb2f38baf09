import { afterAll, beforeAll, expect, test } from 'vitest';
import { provenanceOf, type PointSummary, type Repository } from '../engine/index.ts';
import { makeSmallVault, runTool, type SmallVault } from './vault-tool/testing/small-vault.ts';

let here: SmallVault;
let there: SmallVault;
let target: readonly string[];

beforeAll(async () => {
  [here, there] = await Promise.all([makeSmallVault(), makeSmallVault()]);
  target = ['--to', there.vault, '--to-keys', there.keys];
});

afterAll(async () => {
  await Promise.all([here, there].map((vault) => vault[Symbol.asyncDispose]()));
});

async function copyOf(repository: Repository, pointId: string): Promise<PointSummary | undefined> {
  for await (const summary of repository.listPoints()) {
    if (provenanceOf(summary.info)?.pointId === pointId) {
      return summary;
    }
  }
  return undefined;
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
  expect(one).toMatchObject({ code: 0, out: expect.stringContaining('Copied 1 restore points.') });
  const rest = await runTool(['copy', ...here.places, ...target]);
  expect(rest).toMatchObject({ code: 0, out: expect.stringContaining(`${here.second} is now `) });
  const none = await runTool(['copy', ...here.places, ...target]);
  expect(none).toMatchObject({ code: 0, out: 'Nothing is left to copy.\n' });

  await using repository = await there.open();
  const copy = await copyOf(repository, here.second);
  expect(copy?.info['vmName']).toBe('mail server');
  expect((await read(repository, copy?.pointId ?? '', 'root')).equals(here.root)).toBe(true);
  expect((await read(repository, copy?.pointId ?? '', 'swap')).equals(here.swap)).toBe(true);
  expect(await copyOf(repository, here.first)).toBeDefined();
});

test('it refuses a target that is the source, or is not said', async () => {
  const same = await runTool(['copy', ...here.places, '--to', here.vault]);
  expect(same).toMatchObject({ code: 1, err: expect.stringContaining('--to is the vault that is copied from') });
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
  const outcome = await runTool(['copy', ...here.places, ...target, ...how]);
  expect(outcome).toMatchObject({ code: 2, err: expect.stringContaining(says) });
});
