import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { obtainTemporal } from '../../src/platform/embedded/obtain-temporal.ts';
import { cachedTemporalName } from '../../src/platform/embedded/temporal-program.ts';

const CACHED = 'echo "temporal version 1.5.1 (Server 1.29.1, UI 2)"';

let root: string;
let cache: string;
let bin: string;
let said: string[];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'holdfast-obtain-'));
  cache = join(root, 'cache');
  bin = join(root, 'bin');
  await mkdir(bin);
  said = [];
});

afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

async function program(path: string, script: string): Promise<string> {
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

async function obtain(): Promise<string> {
  const closedPort = await new Promise<number>((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
  const log = (line: string): void => void said.push(line);
  return await obtainTemporal({ cache, path: `${bin}:/bin`, log, downloadSite: `http://127.0.0.1:${closedPort}/` });
}

/** A Go that writes down how it was called, and "builds" a program into GOBIN once the test lets it. */
async function fakeGo(version: string): Promise<void> {
  const build = `echo "$@" >> ${root}/calls; until [ -e ${root}/go-on ]; do sleep 0.02; done; printf '#!/bin/sh\\n%s\\n' '${CACHED}' > "$GOBIN/temporal"; chmod +x "$GOBIN/temporal"`;
  await program(join(bin, 'go'), `if [ "$1" = env ]; then echo ${version}; else ${build}; fi`);
}

it('prefers a recent enough temporal on PATH to everything else', async () => {
  const installed = await program(join(bin, 'temporal'), 'echo "temporal version 1.6.0 (Server 1.30.0, UI 2)"');
  await mkdir(cache);
  await program(join(cache, cachedTemporalName()), CACHED);
  expect(await obtain()).toBe(installed);
});

it('passes over one that is too old, says so, and takes the cached one', async () => {
  await program(join(bin, 'temporal'), 'echo "temporal version 1.1.0 (Server 1.25.2, UI 2)"');
  await mkdir(cache);
  const cached = await program(join(cache, cachedTemporalName()), CACHED);
  expect(await obtain()).toBe(cached);
  expect(said).toEqual([`${join(bin, 'temporal')} is not used: its server 1.25 is older than 1.29`]);
});

it('builds one with Go where nothing can be downloaded: once, although two ask at a time', async () => {
  await fakeGo('go1.26.1');
  const both = Promise.all([obtain(), obtain()]);
  await expect.poll(() => said).toContain('another process is obtaining Temporal; waiting for it');
  await writeFile(join(root, 'go-on'), '');
  const [one, other] = await both;
  expect(one).toBe(join(cache, cachedTemporalName()));
  expect(other).toBe(one);
  expect(await readFile(join(root, 'calls'), 'utf8')).toBe(
    'install -v github.com/temporalio/cli/cmd/temporal@v1.5.1\n',
  );
  expect(said.at(-1)).toMatch(/^building Temporal 1\.5\.1 .*: done in [\d.]+ s$/);
  expect((await readdir(cache)).toSorted()).toEqual([cachedTemporalName(), `${cachedTemporalName()}.lock`]);
});

it('replaces one that is there only in part, and removes what a killed attempt left', async () => {
  const name = cachedTemporalName();
  await mkdir(join(cache, `${name}.part-abcdef`), { recursive: true });
  await program(join(cache, name), 'exit 126');
  await fakeGo('go1.26.1');
  await writeFile(join(root, 'go-on'), '');
  const obtained = await obtain();
  expect(await readFile(obtained, 'utf8')).toContain(CACHED);
  expect((await readdir(cache)).toSorted()).toEqual([name, `${name}.lock`]);
});

it('says in one sentence what to install where every way is closed', async () => {
  await fakeGo('go1.21.13');
  await expect(obtain()).rejects.toMatchObject({
    code: 'ENGINE_SERVER_MISSING',
    message:
      'There is no Temporal server on this machine, its download site does not answer, and Go is go1.21.13, older than 1.25.',
    hint: expect.stringMatching(/^Install Go 1\.25 or newer .* or put the program "temporal" on PATH/),
  });
});

it('keeps nothing of a build that failed', async () => {
  await program(join(bin, 'go'), 'if [ "$1" = env ]; then echo go1.26.1; else echo "no network" >&2; exit 1; fi');
  await expect(obtain()).rejects.toMatchObject({ code: 'ENGINE_SERVER_MISSING', message: /no network/ });
  expect(await readdir(cache)).toEqual([`${cachedTemporalName()}.lock`]);
});
