import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram, type PeerRecipe } from './peer-program.ts';

/** Packages of the distribution, unpacked into the cache: nothing is installed on the machine. */
async function unpackDebian(folder: string, packages: readonly string[]): Promise<void> {
  const downloads = join(folder, 'packages');
  await mkdir(downloads);
  try {
    await runProgram('apt-get', ['download', ...packages], downloads);
  } catch {
    // A machine that is new has no lists yet.
    await runProgram('apt-get', ['update'], downloads);
    await runProgram('apt-get', ['download', ...packages], downloads);
  }
  for (const file of await readdir(downloads)) {
    await runProgram('dpkg', ['-x', join(downloads, file), folder], folder);
  }
}

export const RESTIC: PeerRecipe = {
  name: 'restic-0.14.0-debian',
  takes: 'seconds',
  file: 'usr/bin/restic',
  make: (folder) => unpackDebian(folder, ['restic=0.14.0-1+b5']),
  command: (folder) => ({ file: join(folder, 'usr/bin/restic'), args: [], env: {} }),
};

const BORG_PACKAGES = [
  'borgbackup=1.2.4-1',
  'python3-msgpack',
  'python3-packaging',
  'python3-pkg-resources',
  'libxxhash0',
  'liblz4-1',
];

export const BORG_DEBIAN: PeerRecipe = {
  name: 'borg-1.2.4-debian',
  takes: 'seconds',
  file: 'usr/bin/borg',
  make: (folder) => unpackDebian(folder, BORG_PACKAGES),
  command: (folder) => ({
    file: '/usr/bin/python3',
    args: ['-m', 'borg'],
    env: {
      PYTHONPATH: join(folder, 'usr/lib/python3/dist-packages'),
      LD_LIBRARY_PATH: join(folder, 'usr/lib/x86_64-linux-gnu'),
    },
  }),
};
