import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { buildGoProgram } from './go-program.ts';

const PROGRAM = { title: 'Thing 1', goPackage: 'example.com/thing@v1', file: 'thing', takes: 'a moment' };
let cache: string;

beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'holdfast-go-'));
});
afterEach(async () => {
  await rm(cache, { recursive: true });
});

/** Builds with a `go` that does as told. */
async function buildWith(script: string): Promise<void> {
  const go = join(cache, 'go');
  await writeFile(go, `#!/bin/sh\n${script}\n`);
  await chmod(go, 0o755);
  await buildGoProgram(go, PROGRAM, join(cache, 'thing-1'), () => undefined);
}

it('what Go puts aside while it builds goes with the build, however that ends', async () => {
  await buildWith('mkdir "$GOTMPDIR/go-build1" && echo made > "$GOBIN/thing"');
  expect((await readdir(cache)).toSorted()).toEqual(['go', 'thing-1']);
  await expect(buildWith('mkdir "$GOTMPDIR/go-build2"; echo "no such package" >&2; exit 1')).rejects.toMatchObject({
    code: 'ENGINE_SERVER_MISSING',
    message: expect.stringContaining('no such package'),
  });
  expect((await readdir(cache)).toSorted()).toEqual(['go', 'thing-1']);
});
