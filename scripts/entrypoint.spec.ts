import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';

const ENTRYPOINT = fileURLToPath(new URL('../docker/entrypoint.sh', import.meta.url));
const MAIN = fileURLToPath(new URL('../src/main/', import.meta.url));

let folder: string;

/** In the place of node, one that says what it was to run. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-entrypoint-'));
  writeFileSync(join(folder, 'node'), '#!/bin/sh\necho "$@"\n');
  chmodSync(join(folder, 'node'), 0o755);
});

afterAll(() => rmSync(folder, { recursive: true }));

function start(...args: readonly string[]) {
  const env = { PATH: `${folder}:${process.env['PATH'] ?? ''}` };
  return spawnSync('/bin/sh', [ENTRYPOINT, ...args], { encoding: 'utf8', env });
}

it.each([
  [[], 'api', ''],
  [['rebuild-catalog', '--vault', 'x'], 'rebuild-catalog', ' --vault x'],
  [['vault', 'list', '--vault', '/vaults/acme'], 'vault-tool', ' list --vault /vaults/acme'],
])('the container image starts %j', (args, program, rest) => {
  expect(start(...args)).toMatchObject({ status: 0, stdout: `/holdfast/dist/src/main/${program}.js${rest}\n` });
  expect(existsSync(join(MAIN, `${program}.ts`))).toBe(true);
});

it('starts nothing else', () => {
  const { status, stderr } = start('node', 'dist/src/main/api.js');
  expect(status).toBe(64);
  expect(stderr).toContain("unknown role 'node'; one of: api worker");
});
