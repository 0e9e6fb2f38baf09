import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JsonClient } from './json-client.ts';
import { isInstalled, run } from './programs.ts';
import type { SimulatedVm } from '../../src/xen/spec-simulated.ts';
import { SpecSimulator } from '../../src/xen/spec-simulator.ts';

interface NbdInfo {
  readonly exportname: string;
  readonly address: string;
  readonly port: number;
  readonly cert: string;
}

const MIB = 1 << 20;

let pools: SpecSimulator;
let client: JsonClient;
let vm: SimulatedVm;

beforeAll(async () => {
  pools = await SpecSimulator.start('--detach-delay', '0');
  client = await JsonClient.login(pools.pool('alpha'));
  vm = await pools.makeVm({ disks: [{ sizeBytes: 8 * MIB }] });
  const order = { offset: 3 * MIB - 5, length: 2 * MIB, randomSeed: 'content' };
  await pools.post(`/vdis/${vm.disks[0]?.uuid}/write`, order);
});

afterAll(async () => {
  await pools.stop();
});

/** A snapshot of the disk while the guest goes on writing, and a URI of it. */
async function snapshotUri(scheme: 'nbd' | 'nbds'): Promise<{ readonly uri: string; readonly digest: string }> {
  const disk = vm.disks[0];
  const snapshot = await client.call<string>('VDI.snapshot', disk?.ref);
  await pools.post(`/vdis/${disk?.uuid}/write`, { offset: 0, length: MIB, randomSeed: snapshot });
  const [info] = await client.call<NbdInfo[]>('VDI.get_nbd_info', snapshot);
  if (info === undefined) {
    throw new Error('no NBD');
  }
  const authorities = join(pools.folder, 'ca');
  await mkdir(authorities, { recursive: true });
  await writeFile(join(authorities, 'ca-cert.pem'), info.cert);
  const query = scheme === 'nbds' ? `?tls-certificates=${authorities}` : '';
  const uri = `${scheme}://${info.address}:${info.port}/${encodeURIComponent(info.exportname)}${query}`;
  return { uri, digest: await pools.digest(await client.call('VDI.get_uuid', snapshot)) };
}

async function usePlainNbd(): Promise<void> {
  const networks = await client.call<string[]>('network.get_all');
  for (const network of networks) {
    await client.call('network.remove_purpose', network, 'nbd');
  }
  await client.call('network.add_purpose', networks[0], 'insecure_nbd');
}

async function sha256(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
}

describe('programs that speak NBD', () => {
  it.skipIf(!isInstalled('nbdinfo'))('nbdinfo reads size and flags over verified TLS', async () => {
    const { uri } = await snapshotUri('nbds');
    const info = JSON.parse(await run('nbdinfo', ['--json', uri])) as Record<string, unknown>;
    expect(info).toMatchObject({ protocol: 'newstyle-fixed', TLS: true, structured: false });
    expect(info['exports']).toMatchObject([{ 'export-size': 8 * MIB, is_read_only: true, can_flush: false }]);
  });

  it.skipIf(!isInstalled('nbdcopy'))('nbdcopy copies a snapshot over TLS', async () => {
    const { uri, digest } = await snapshotUri('nbds');
    const target = join(pools.folder, 'tls.raw');
    await run('nbdcopy', [uri, target]);
    expect(await sha256(target)).toBe(digest);
  });

  it.skipIf(!isInstalled('nbdcopy'))(
    'nbdcopy copies a snapshot over plain NBD, and the log names what it read',
    async () => {
      await usePlainNbd();
      const { uri, digest } = await snapshotUri('nbd');
      await pools.delete('/log');
      const target = join(pools.folder, 'plain.raw');
      await run('nbdcopy', [uri, target]);
      expect(await sha256(target)).toBe(digest);
      const reads = await pools.get<{ length: number }[]>('/log?type=nbd-read');
      expect(reads.reduce((sum, read) => sum + read.length, 0)).toBe(8 * MIB);
    },
  );
});
