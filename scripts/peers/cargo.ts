import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProgram, type PeerRecipe } from './peer-program.ts';

const VERSION = '0.11.4';

/** Without what has nothing to do with storing: its terminal, web and metrics parts. */
async function buildRustic(folder: string): Promise<void> {
  const target = await mkdtemp(join(tmpdir(), 'rustic-build-'));
  const what = ['install', 'rustic-rs', '--version', VERSION, '--locked', '--no-default-features'];
  try {
    await runProgram('cargo', [...what, '--root', folder, '--target-dir', target], folder);
  } finally {
    await rm(target, { recursive: true, force: true });
  }
}

export const RUSTIC: PeerRecipe = {
  name: `rustic-${VERSION}-crates`,
  takes: 'about fifteen minutes on two cores',
  file: 'bin/rustic',
  make: buildRustic,
  command: (folder) => ({ file: join(folder, 'bin/rustic'), args: [], env: {} }),
};
