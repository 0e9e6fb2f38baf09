import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const MODULE = new URL('./young-generation.ts', import.meta.url).href;

/** It stops at 2 to 13 MB, the more the busier the machine is, and goes on to 67 MB otherwise. */
const STOPPED_BYTES = 30e6;

/** How large the young generation of a process gets that keeps some of what it makes for a while, in bytes. */
async function measure(before: string): Promise<number> {
  const script = `
    import { getHeapSpaceStatistics } from 'node:v8';
    import { expectDisk, expectIndex, stopYoungGeneration } from '${MODULE}';
    ${before}
    let some = [];
    let most = 0;
    for (let i = 0; i < 3_000_000; i += 1) {
      some.push({ i });
      if (some.length === 100_000) {
        some = [];
        const space = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
        most = Math.max(most, space.space_size);
      }
    }
    console.log(most);
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], {
    env: {},
  });
  return Number(stdout);
}

test('the young generation grows no more, which it does otherwise', async () => {
  const [stopped, free] = [await measure('stopYoungGeneration();'), await measure('')];
  expect(stopped).toBeLessThan(STOPPED_BYTES);
  expect(free).toBeGreaterThan(STOPPED_BYTES);
});

test('large disks and indexes stop it, small ones do not', async () => {
  const small = await measure('expectDisk(2 ** 33); expectIndex(24 * 2 ** 20);');
  const [disk, index] = [await measure('expectDisk(2 ** 33 + 1);'), await measure('expectIndex(24 * 2 ** 20 + 1);')];
  expect(Math.max(disk, index)).toBeLessThan(STOPPED_BYTES);
  expect(small).toBeGreaterThan(STOPPED_BYTES);
});
