import { rm } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { temporaryDataFolder } from '../../src/platform/embedded/data-folder.ts';
import { allGone, childrenOf } from '../support/processes.ts';
import { startProgram, type Program } from '../support/program.ts';

interface Ready {
  readonly url: string;
  readonly administratorToken?: string;
}

async function start(folder: string): Promise<Program<Ready>> {
  return await startProgram<Ready>({ script: 'dist/src/main/standalone.js', env: { HOLDFAST_DATA: folder } });
}

async function whoAmI(url: string, token: string): Promise<unknown> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query: '{ viewer { tenantId tokenId } }' }),
  });
  const { data } = (await response.json()) as { data: unknown };
  return data;
}

it('is the service on engines of its own: one administrator token, and state that survives restarts', async () => {
  const folder = await temporaryDataFolder();
  try {
    const first = await start(folder);
    const token = first.ready.administratorToken ?? '';
    expect(first.output()).toContain(`shown this once: ${token}\n`);
    const administrator = await whoAmI(first.ready.url, token);
    expect(administrator).toEqual({ viewer: { tenantId: expect.any(String), tokenId: expect.any(String) } });
    const watchdogs = await childrenOf(first.pid);
    expect(await first.stop()).toEqual({ code: 0, signal: null });
    expect(await allGone(watchdogs, 0)).toBe(true);

    const again = await start(folder);
    expect(again.ready.administratorToken).toBeUndefined();
    expect(await whoAmI(again.ready.url, token)).toEqual(administrator);
    await again.stop();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
