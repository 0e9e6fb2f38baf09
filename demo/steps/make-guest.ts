import { join } from 'node:path';
import type { SimulatedVm } from '../clients/simulator.ts';
import { ROOT } from '../processes/program.ts';
import { findProgram, run } from '../processes/tools.ts';
import type { Account } from '../story.ts';
import type { World } from '../world.ts';

const DISKS = [
  { name: 'system', content: 'node_modules/@temporalio', size: '512M' },
  { name: 'data', content: 'node_modules/typeorm', size: '256M' },
];

/** A running VM with two disks: real ext4 file systems with the files of this project's own dependencies. */
export async function makeGuest({ simulator, folder }: World, account: Account): Promise<SimulatedVm> {
  const mke2fs = findProgram('mke2fs');
  if (mke2fs === null) {
    throw new Error('mke2fs is missing: install the package e2fsprogs.');
  }
  const disks: { readonly image: string; readonly name: string }[] = [];
  for (const { name, content, size } of DISKS) {
    const image = join(folder, `${name}.raw`);
    await run(mke2fs, ['-q', '-F', '-t', 'ext4', '-L', name, '-d', join(ROOT, content), image, size]);
    disks.push({ image, name });
  }
  const guest = await simulator.addVm({ pool: 'alpha', name: 'accounting', disks });
  account.detail = `${guest.name} runs in pool ${guest.pool} with ${guest.disks.length} disks made by mke2fs`;
  return guest;
}
