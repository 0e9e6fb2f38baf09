import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MIB } from '../../../src/kernel/bytes.ts';
import { Ext4Disk } from '../ext4-disk.ts';
import { newCutTally, runPowerCuts } from '../model-run.ts';
import { newExt4Tally, runExt4Cuts } from '../run-ext4-cuts.ts';
import type { Kind, Unavailable } from './kind.ts';

const LIFE = { operations: 10, atRandom: 3, goOnShare: 0.03, lookShare: 0.15 };
const EXT4_CUTS_A_SEED = 10;

export async function cutsOfModel(): Promise<Kind> {
  const tally = newCutTally();
  return { tally: () => ({ ...tally }), run: (seed) => runPowerCuts(seed, LIFE, tally) };
}

export async function cutsOfExt4(): Promise<Kind | Unavailable> {
  const reason = await whyNoExt4();
  const tally = newExt4Tally();
  return reason === null
    ? { tally: () => ({ ...tally }), run: (seed) => runExt4Cuts(seed, EXT4_CUTS_A_SEED, tally) }
    : { reason };
}

/** Loop devices and mounts are for root, and not in every container. */
async function whyNoExt4(): Promise<string | null> {
  const base = await mkdtemp(join(tmpdir(), 'holdfast-ext4-'));
  const disk = new Ext4Disk(base);
  try {
    await disk.make(8 * MIB);
    await disk.cutPower();
    return null;
  } catch (error) {
    return String(error);
  } finally {
    await disk.remove();
    await rm(base, { recursive: true, force: true });
  }
}
