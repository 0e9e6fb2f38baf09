import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { JsonClient } from './json-client.ts';
import { run } from './programs.ts';
import { SpecSimulator } from '../../src/xen/spec-simulator.ts';

const story = fileURLToPath(new URL('xen-api-story.mjs', import.meta.url));

describe('the xen-api package, over JSON-RPC', () => {
  it('follows events, runs tasks, uploads to a disk on another host, and cleans up', async () => {
    await using pools = await SpecSimulator.start('--redirect-with-port');
    const { url, username, password } = pools.pool('alpha');
    const vm = await pools.makeVm({ disks: [{ sizeBytes: 4 << 20 }] });
    const client = await JsonClient.login(pools.pool('alpha'));
    const [sr] = await client.call<string[]>('SR.get_by_name_label', 'Local storage on alpha-2');
    const output = await run(process.execPath, [story, url, username, password, vm.uuid, sr ?? '']);
    const { uploaded, ...seen } = JSON.parse(output) as Record<string, unknown> & { readonly uploaded: string };
    expect(seen).toStrictEqual({
      pool: 'alpha',
      powerState: 'Running',
      result: true,
      snapshot: ['from xen-api', true, true],
      event: 'from xen-api',
      stamp: 'ours',
      count: ['MESSAGE_PARAMETER_COUNT_MISMATCH', 'VM.snapshot', '3', '1'],
      failedTask: ['VM_BAD_POWER_STATE', vm.ref, 'halted', 'running'],
    });
    const expected = createHash('sha256')
      .update(Buffer.alloc(2 << 20, 7))
      .digest('hex');
    expect(await pools.digest(uploaded)).toBe(expected);
  });
});
