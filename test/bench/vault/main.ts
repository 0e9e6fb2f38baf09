import { rmSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { obtainPeers, PEER_NAMES, type PeerName } from '../../../scripts/obtain-peers.ts';
import type { PeerFound } from '../../../scripts/peers/peer-program.ts';
import { MIB } from '../../../src/kernel/bytes.ts';
import { cacheFolder } from '../../../src/platform/embedded/cache-folder.ts';
import { measurePrimitives, type PrimitiveCosts } from '../engine-bound.ts';
import { HoldfastSide } from './holdfast-side.ts';
import { prepareImages } from './images/prepare-images.ts';
import { PEER_COMMANDS, PeerSide, type PeerCommands } from './peer-sides.ts';
import { printReport } from './print-report.ts';
import { toReport } from './report.ts';
import { runRounds } from './rounds.ts';
import type { Side } from './side.ts';
import { Workshop } from './workshop.ts';

const HELP = `npm run bench:vault -- [--report FILE] [--size 4096MiB] [--rounds 3] [--only SIDE,SIDE]

Measures the vault engine beside restic, borg and rustic, on images of real file systems, interleaved in one run; with
what the machine could do at best. Peers and images are obtained the first time and kept in the cache folder. Takes about
twenty minutes then. --only leaves sides out; --size and --rounds make it quicker. --report writes everything as JSON.
`;

const { values } = parseArgs({
  options: {
    report: { type: 'string' },
    size: { type: 'string', default: '4096MiB' },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string' },
    help: { type: 'boolean' },
  },
});
async function bench(): Promise<void> {
  const announce = (line: string): void => void process.stderr.write(`${line}\n`);
  const cache = cacheFolder({ XDG_CACHE_HOME: process.env['XDG_CACHE_HOME'], HOME: process.env['HOME'] });
  const imageBytes = parseSize(values.size);
  const rounds = Number(values.rounds);
  const only = values.only?.split(',');
  const wanted = PEER_NAMES.filter((name) => only === undefined || only.some((start) => name.startsWith(start)));
  const peers = await obtainPeers(wanted, announce);
  const images = await prepareImages(join(cache, 'bench-images'), imageBytes, announce);
  const folder = await mkdtemp(join(cache, 'bench-'));
  const removeFolder = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', removeFolder);
  process.once('SIGINT', () => process.exit(130));
  process.once('SIGTERM', () => process.exit(143));
  try {
    const shop = new Workshop(folder, images);
    const missing: Record<string, string> = {};
    const sides: Side[] = [await HoldfastSide.prepare(shop), ...peerSides(peers, shop, missing)];
    const costs: PrimitiveCosts[] = [];
    const beforeRound = async (): Promise<void> => {
      costs.push(await measurePrimitives(shop.imagePath('base'), folder));
    };
    const results = await runRounds(sides, shop, { rounds, beforeRound, announce });
    const report = toReport(results, costs, { imageBytes, missing });
    const machine = { cpu: cpus()[0]?.model ?? '', cores: availableParallelism() };
    process.stdout.write(`${printReport(report)}\n`);
    if (values.report !== undefined) {
      const raw = Object.fromEntries([...results].map(([side, rows]) => [side, Object.fromEntries(rows)]));
      await writeFile(values.report, `${JSON.stringify({ machine, ...report, primitives: costs, raw }, null, 2)}\n`);
    }
  } finally {
    removeFolder();
  }
}

const COMMANDS_OF: Readonly<Record<PeerName, PeerCommands>> = {
  'restic 0.14': PEER_COMMANDS.restic,
  'borg 1.2': PEER_COMMANDS.borg,
  'borg 1.4': PEER_COMMANDS.borg,
  'rustic 0.11': PEER_COMMANDS.rustic,
};

function peerSides(peers: ReadonlyMap<PeerName, PeerFound>, shop: Workshop, missing: Record<string, string>): Side[] {
  return [...peers].flatMap(([name, found]) => {
    if ('reason' in found) {
      missing[name] = found.reason;
      return [];
    }
    return [new PeerSide(name, found.command, COMMANDS_OF[name], shop)];
  });
}

function parseSize(text: string): number {
  const match = /^(\d+)(MiB|GiB)$/.exec(text);
  if (match === null) {
    throw new Error(`--size ${text}: a number with MiB or GiB is wanted`);
  }
  return Number(match[1]) * (match[2] === 'GiB' ? 1024 : 1) * MIB;
}

if (values.help === true) {
  process.stdout.write(HELP);
} else {
  await bench();
}
