import { execFile, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readdir, readFile, rename, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  commitEmpty,
  filesIn,
  flipBit,
  makeSmallVault,
  runTool,
  VAULT_TOOL,
  type Outcome,
  type SmallVault,
} from './vault-tool/testing/small-vault.ts';

const hasQemu = spawnSync('qemu-img', ['--version']).status === 0;

/** All control characters but the end of a line. */
const UNSEEN = /(?!\n)\p{Cc}/u;

let world: SmallVault;
let folder: string;
let places: readonly string[];
let [first, second] = ['', ''];
let root: Buffer;
let swap: Buffer;

beforeAll(async () => {
  world = await makeSmallVault();
  ({ folder, places, first, second, root, swap } = world);
});

afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

async function tool(...args: string[]): Promise<Outcome> {
  return await runTool(args);
}

async function vaultPacks(): Promise<string[]> {
  return await filesIn(world, 'data');
}

/** Does something to the largest pack, and undoes it afterwards. */
async function withDamage<T>(work: (pack: string) => Promise<T>): Promise<T> {
  const sizes = await Promise.all((await vaultPacks()).map(async (path) => ({ path, size: (await stat(path)).size })));
  const { path } = sizes.toSorted((a, b) => b.size - a.size)[0] ?? { path: '' };
  const { undo } = await flipBit(path, 100);
  try {
    return await work(path);
  } finally {
    await undo();
  }
}

test('it lists every disk of every restore point', async () => {
  const { code, out } = await tool('list', ...places);
  expect(code).toBe(0);
  expect(out.split('\n').filter((line) => line.includes('mail server'))).toHaveLength(3);
  expect(out).toMatch(new RegExp(`${second} .*1970-01-01 00:00 .*swap .*90.0 KiB`));
});

test('it tells what the vault takes', async () => {
  const { code, out } = await tool('stats', ...places);
  expect(code).toBe(0);
  expect(out).toMatch(/restore points\s+2\n/);
  expect(out).toContain(`${2 * root.length + swap.length} bytes`);
});

test('it prints what the machine was', async () => {
  const { code, out } = await tool('config', '--point', first, ...places);
  expect({ code, out: JSON.parse(out) as unknown }).toEqual({ code: 0, out: { memoryBytes: 1024 } });
});

test.each(['0', '1', '2'])('it verifies at level %s', async (level) => {
  const { code, out } = await tool('verify', '--level', level, ...places);
  expect(out).toContain(`INTACT   restore point ${first}`);
  expect(out).toContain('0 damaged objects, 0 damaged and 2 intact restore points');
  expect(code).toBe(0);
});

test('a disk comes back byte for byte, in lines of progress where there is no terminal', async () => {
  const to = join(folder, 'root.raw');
  const { code, out, err } = await tool('restore', ...places, '--point', first.slice(0, 8), '--to', to);
  expect(err).toContain('restore: 100 %');
  expect(out).toContain('Restored disk root');
  expect(code).toBe(0);
  expect(Buffer.compare(await readFile(to), root)).toBe(0);
  const again = await tool('restore', ...places, '--point', second, '--disk', 'swap', '--to', to);
  expect(again).toMatchObject({ code: 1, err: expect.stringContaining('is there already') });
  expect(Buffer.compare(await readFile(to), root)).toBe(0);
  const forced = await tool('restore', ...places, '--point', second, '--disk', 'swap', '--to', to, '--force');
  expect(forced.code).toBe(0);
  expect(Buffer.compare(await readFile(to), swap)).toBe(0);
});

test.skipIf(!hasQemu).each([
  ['qcow2', 'qcow2'],
  ['vhd', 'vpc'],
])('qemu-img reads a disk back that was restored as %s', async (format, driver) => {
  const [raw, to] = [join(folder, 'wanted.raw'), join(folder, `root.${format}`)];
  await writeFile(raw, root);
  const restored = await tool(
    'restore',
    ...places,
    '--point',
    second,
    '--disk',
    'root',
    '--to',
    to,
    '--format',
    format,
  );
  expect(restored).toMatchObject({ code: 0 });
  const { stdout } = await promisify(execFile)('qemu-img', ['compare', '-f', 'raw', '-F', driver, raw, to]);
  expect(stdout).toContain('identical');
});

test('damage is named, and all else can be had', async () => {
  await withDamage(async (pack) => {
    const verified = await tool('verify', '--level', '1', ...places);
    expect(verified.code).toBe(3);
    expect(verified.out).toContain(`DAMAGED  ${pack.slice(pack.indexOf('data/'))}  changed`);
    const [, from = '', to = ''] = /disk root: .*\n +bytes (\d+) to (\d+)/.exec(verified.out) ?? [];
    const [start, end] = [Number(from), Number(to) + 1];
    expect(end).toBeGreaterThan(start);

    const path = join(folder, 'damaged.raw');
    const refused = await tool('restore', ...places, '--point', first, '--to', path);
    expect(refused).toMatchObject({ code: 3, err: expect.stringContaining('--salvage') });
    expect(await readdir(folder)).not.toContain('damaged.raw.partial');
    const salvaged = await tool('restore', ...places, '--point', first, '--to', path, '--salvage');
    expect(salvaged).toMatchObject({ code: 3, out: expect.stringContaining(`LOST     bytes ${from} to ${to}`) });
    expect(Buffer.compare(await readFile(path), Buffer.from(root).fill(0, start, end))).toBe(0);
    const other = await tool('restore', ...places, '--point', second, '--disk', 'swap', '--to', join(folder, 'swap'));
    expect(other.code).toBe(0);
    expect(Buffer.compare(await readFile(join(folder, 'swap')), swap)).toBe(0);
  });
});

test('a verification that keeps its state reads what it has not read yet', async () => {
  const state = join(folder, 'state.json');
  const count = (await vaultPacks()).length;
  expect((await tool('verify', '--level', '1', '--state', state, ...places)).out).toContain(`${count} packs checked`);
  const kept = JSON.parse(await readFile(state, 'utf8')) as { finished: boolean; packs: Record<string, unknown> };
  expect(Object.keys(kept.packs)).toHaveLength(count);
  const [one = ''] = Object.keys(kept.packs);
  delete kept.packs[one];
  await writeFile(state, JSON.stringify({ ...kept, finished: false }));
  const rest = await tool('verify', '--level', '1', '--state', state, ...places);
  expect(rest.out).toContain(`1 pack checked, ${count - 1} found whole before`);
  expect((await tool('verify', '--level', '1', '--state', state, ...places)).out).toContain(`${count} packs checked`);
});

test('names and configurations are shown, and not obeyed by the terminal', async () => {
  await using evil = await makeSmallVault();
  const pointId = await commitEmpty(evil, {
    vmId: 'vm\u009b31m',
    info: { vmName: `\u001b[2J\n${randomUUID()}  fake` },
    config: Buffer.from('\u001b]0;owned\u0007no\njson'),
  });
  const outcomes = await Promise.all([
    tool('list', ...evil.places),
    tool('catalog', ...evil.places),
    tool('config', ...evil.places, '--point', pointId),
  ]);
  outcomes.forEach(({ code, out }) => expect({ code, raw: UNSEEN.test(out) }).toEqual({ code: 0, raw: false }));
  expect(outcomes[0]?.out.split('\n')).toHaveLength(6);
  await writeFile(join(evil.vault, 'repo.0'), JSON.stringify({ format: 1, repositoryId: '\u001b[2J all is well' }));
  const { code, err } = await tool('list', ...evil.places);
  expect({ code, raw: UNSEEN.test(err) }).toEqual({ code: 3, raw: false });
});

test('a state that can’t be kept is said before anything is read', async () => {
  const state = join(folder, 'nowhere', 'state.json');
  const { code, out, err } = await tool('verify', ...places, '--level', '1', '--state', state);
  expect({ code, out }).toEqual({ code: 1, out: '' });
  expect(err).toContain(`${state} can't be written: ENOENT.`);
  expect(err).not.toContain('%');
});

test('a cursor that can’t be kept is said before anything is restored', async () => {
  const resume = join(folder, 'nowhere', 'resume.json');
  const to = join(folder, 'unkept.raw');
  const how = ['--point', first, '--disk', 'root', '--to', to, '--resume', resume];
  expect(await tool('restore', ...places, ...how)).toMatchObject({
    code: 1,
    err: expect.stringContaining(`${resume} can't be written`),
  });
});

test('output that nobody reads is no error, and output that can’t be stored is one', async () => {
  const shell = async (redirection: string): Promise<{ code: number | null; err: string }> => {
    const command = `"$0" "$@" ${redirection}`;
    const child = spawnSync('bash', ['-c', command, process.execPath, VAULT_TOOL, 'catalog', ...places], {
      encoding: 'utf8',
    });
    return { code: child.status, err: child.stderr };
  };
  expect(await shell('| true; exit "${PIPESTATUS[0]}"')).toEqual({ code: 0, err: '' });
  const full = await shell('> /dev/full');
  expect(full.code).toBe(1);
  expect(full.err).toBe("holdfast-vault: standard output can't be written: ENOSPC.\n");
});

test('keys in a folder that is not there are said to be nowhere', async () => {
  const keys = join(folder, 'nowhere');
  const outcome = await tool('list', '--vault', world.vault, '--keys', keys);
  expect(outcome).toMatchObject({ code: 1, err: expect.stringContaining(`There is no folder ${keys}.`) });
});

test('it says which version it is', async () => {
  const version = await tool('--version');
  expect(version).toMatchObject({ code: 0, out: expect.stringMatching(/^holdfast-vault \d+\.\d+\.\d+\n$/), err: '' });
});

test('a place that is no folder, or can’t be read, is named with what to give instead', async () => {
  const { vault, keys, tenantId } = world;
  const loop = join(folder, 'loop');
  await symlink(loop, loop);
  const kek = join(keys, 'tenants', tenantId, 'kek');
  const wrong: [string[], string, string][] = [
    [['--vault', join(vault, 'repo.0'), '--keys', keys], `${join(vault, 'repo.0')} is no folder`, 'own folder'],
    [['--vault', vault, '--keys', kek], `${kek} is no folder`, join(keys, 'tenants', tenantId)],
    [['--vault', vault, '--keys', loop], `The keys in ${loop} can't be read: ELOOP.`, 'may read'],
  ];
  const outcomes = await Promise.all(wrong.map(async ([args]) => await tool('list', ...args)));
  for (const [i, [, says, advises]] of wrong.entries()) {
    const [what = '', hint = ''] = outcomes[i]?.err.split('\n') ?? [];
    expect({ code: outcomes[i]?.code, what, hint }).toEqual({
      code: 1,
      what: expect.stringContaining(says),
      hint: expect.stringContaining(advises),
    });
  }
});

test('what is wrong is said in sentences, with what to do', async () => {
  const { vault, keys } = world;
  const help = await tool('--help');
  expect(help).toMatchObject({ code: 0, out: expect.stringContaining('--salvage') });
  const wrong: [string[], number, string][] = [
    [[], 2, 'No command was given'],
    [['mend', ...places], 2, 'There is no command “mend”'],
    [['list', '--vault', vault], 2, '--keys is missing'],
    [['list', '--force', ...places], 2, 'list does not take --force'],
    [['verify', '--level', '3', ...places], 2, '--level is 0, 1 or 2'],
    [['restore', ...places, '--point', first, '--to', 'x', '--format', 'iso'], 2, '--format is raw, vhd, qcow2'],
    [['restore', ...places, '--point', randomUUID(), '--to', 'x'], 1, 'The vault has no restore point'],
    [['restore', ...places, '--point', second, '--to', 'x'], 1, 'Choose with --disk: root, swap'],
    [['restore', ...places, '--point', first, '--to', folder], 1, 'is neither a file nor a block device'],
    [['restore', ...places, '--point', first, '--to', join(folder, 'none', 'x')], 1, 'ENOENT'],
    [['list', '--vault', join(folder, 'vaults'), '--keys', keys], 1, `Vaults lie below it: ${vault}`],
    [['list', '--vault', vault, '--keys', join(folder, 'vaults')], 1, '<tenant>/kek'],
  ];
  const outcomes = await Promise.all(wrong.map(async ([args]) => await tool(...args)));
  for (const [i, [, code, text]] of wrong.entries()) {
    expect(outcomes[i]).toMatchObject({ code, err: expect.stringContaining(text) });
  }
  await rename(join(keys, 'tenants'), join(folder, 'moved'));
  expect((await tool('list', '--vault', vault, '--keys', join(folder, 'moved'))).code).toBe(0);
  await rename(join(folder, 'moved'), join(keys, 'tenants'));
});

test.each([
  [['verify', '--point', 'a', '--point', 'b'], '--point was given twice'],
  [['verify', '--point', '--condemn'], 'ambiguous. Did you forget'],
  [['restore', '--point', 'a', '--to', 'b', '--to=c'], '--to was given twice'],
  [['verify', '--point', ''], '--point is empty'],
  [['copy', '--to', 'x', '--to-keys='], '--to-keys is empty'],
])('an option that says two things, or nothing, is refused: %j', async (args, says) => {
  const refused = await tool(...args, ...places);
  expect(refused).toMatchObject({ code: 2, out: '', err: expect.stringContaining(says) });
});
