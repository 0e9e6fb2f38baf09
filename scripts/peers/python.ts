import { join } from 'node:path';
import { runProgram, type Announce, type PeerRecipe } from './peer-program.ts';

const BORG_VERSION = '1.4.5';
/** Borg has no built package for every Python: these are what it is compiled with. */
const HEADERS = ['libacl1-dev', 'liblz4-dev', 'libxxhash-dev', 'libzstd-dev', 'libssl-dev', 'pkg-config', 'gcc'];

async function installBorg(folder: string, announce: Announce): Promise<void> {
  await runProgram('python3', ['-m', 'venv', folder], folder);
  const pip = ['-m', 'pip', 'install', '--quiet', `borgbackup==${BORG_VERSION}`];
  const python = join(folder, 'bin/python');
  try {
    await runProgram(python, pip, folder);
  } catch (error) {
    if (process.getuid?.() !== 0) {
      throw error;
    }
    announce(`  installing what it is compiled with: ${HEADERS.join(' ')}`);
    await runProgram('apt-get', ['install', '-y', '--no-install-recommends', ...HEADERS], folder);
    await runProgram(python, pip, folder);
  }
}

export const BORG_NEWEST: PeerRecipe = {
  name: `borg-${BORG_VERSION}-pypi`,
  takes: 'about a minute',
  file: 'bin/borg',
  make: installBorg,
  // Not `bin/borg`: its first line names the folder that the environment was made in.
  command: (folder) => ({ file: join(folder, 'bin/python'), args: ['-m', 'borg'], env: {} }),
};
