import { cacheFolder } from '../../../src/platform/embedded/cache-folder.ts';
import { obtainVersitygw } from '../../support/obtain-versitygw.ts';
import { startS3Server } from '../../support/s3-server.ts';
import { directoryPlace, newTally, runKills, s3Place } from '../run-kills.ts';
import type { Kind, Unavailable } from './kind.ts';

const KILLS_A_SEED = 20;

export async function killsOnDirectory(): Promise<Kind> {
  const tally = newTally();
  return { tally: () => ({ ...tally }), run: (seed) => runKills(seed, KILLS_A_SEED, directoryPlace, tally) };
}

export async function killsOnS3(): Promise<Kind | Unavailable> {
  const log = (line: string): void => console.error(line);
  const found = await obtainVersitygw({ cache: cacheFolder(process.env), path: process.env['PATH'] ?? '', log });
  if ('reason' in found) {
    return found;
  }
  const server = await startS3Server(found.program);
  const place = s3Place(server, await server.makeBucket());
  const tally = newTally();
  return {
    tally: () => ({ ...tally }),
    run: (seed) => runKills(seed, KILLS_A_SEED, place, tally),
    end: () => server.stop(),
  };
}
