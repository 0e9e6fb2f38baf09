import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JsonClient } from './json-client.ts';
import type { SimulatedVm } from '../../src/xen/spec-simulated.ts';
import { SpecSimulator } from '../../src/xen/spec-simulator.ts';

const MIB = 1 << 20;
const BLOCK = 64 * 1024;
const SIZE = 6 * MIB;

let pools: SpecSimulator;
let client: JsonClient;

beforeAll(async () => {
  pools = await SpecSimulator.start('--detach-delay', '0', '--merge-delay', '0');
  client = await JsonClient.login(pools.pool('alpha'));
});

afterAll(async () => {
  await pools.stop();
});

async function trackedVm(): Promise<SimulatedVm & { readonly disk: string; readonly diskUuid: string }> {
  const vm = await pools.makeVm({ disks: [{ sizeBytes: SIZE }] });
  const [disk] = vm.disks;
  await client.call('VDI.enable_cbt', disk?.ref);
  return { ...vm, disk: disk?.ref ?? '', diskUuid: disk?.uuid ?? '' };
}

async function write(uuid: string, offset: number, length: number, randomSeed: string): Promise<void> {
  await pools.write(uuid, offset, length, randomSeed);
}

/** A snapshot of a VM with one disk: the VM’s and the disk’s references. */
async function snapshot(vm: string): Promise<{ readonly vm: string; readonly disk: string }> {
  const ref = await client.call<string>('VM.snapshot', vm, 'anchor');
  const [vbd] = await client.call<string[]>('VM.get_VBDs', ref);
  return { vm: ref, disk: await client.call('VBD.get_VDI', vbd) };
}

async function contentOf(ref: string): Promise<Buffer> {
  const uuid = await client.call<string>('VDI.get_uuid', ref);
  return await pools.content(uuid, 0, SIZE);
}

async function changedBlocks(from: string, to: string): Promise<number[]> {
  const bitmap = Buffer.from(await client.call<string>('VDI.list_changed_blocks', from, to), 'base64');
  expect(bitmap).toHaveLength(SIZE / BLOCK / 8);
  return Array.from({ length: SIZE / BLOCK }, (_, block) => block).filter(
    (block) => ((bitmap[block >> 3] ?? 0) & (128 >> (block & 7))) !== 0,
  );
}

describe('changed blocks of a disk that a guest writes to', () => {
  it('name every block that differs between two snapshots, through metadata alone', async () => {
    const vm = await trackedVm();
    await write(vm.diskUuid, 0, SIZE, 'first');
    const first = await snapshot(vm.ref);
    const before = await contentOf(first.disk);
    await client.call('VM.destroy', first.vm);
    await client.call('VDI.data_destroy', first.disk);
    await write(vm.diskUuid, 3 * BLOCK - 1, 2, 'across two blocks');
    await write(vm.diskUuid, SIZE - 512, 512, 'the last sector');
    const second = await snapshot(vm.ref);
    await write(vm.diskUuid, 10 * BLOCK, BLOCK, 'too late');
    expect(await changedBlocks(first.disk, second.disk)).toStrictEqual([2, 3, SIZE / BLOCK - 1]);
    const after = await contentOf(second.disk);
    const differing = Array.from({ length: SIZE / BLOCK }, (_, block) => block).filter(
      (block) =>
        !after.subarray(block * BLOCK, (block + 1) * BLOCK).equals(before.subarray(block * BLOCK, (block + 1) * BLOCK)),
    );
    expect(differing).toStrictEqual([2, 3, SIZE / BLOCK - 1]);
  });

  it('are recorded of uploads too', async () => {
    const vm = await trackedVm();
    const first = await snapshot(vm.ref);
    await client.call('VM.clean_shutdown', vm.ref);
    const chunk = Buffer.alloc(12 + 512, 5);
    chunk.writeBigInt64LE(BigInt(7 * BLOCK), 0);
    chunk.writeInt32LE(512, 8);
    const target = `/import_raw_vdi?session_id=${client.session}&vdi=${vm.disk}&chunked`;
    await client.exchange(`PUT ${target} HTTP/1.1\r\n\r\n`, Buffer.concat([chunk, Buffer.alloc(12)]));
    const second = await snapshot(vm.ref);
    expect(await changedBlocks(first.disk, second.disk)).toStrictEqual([7]);
  });

  it('are lost where tracking was switched off in between', async () => {
    const vm = await trackedVm();
    const first = await snapshot(vm.ref);
    await client.call('VDI.disable_cbt', vm.disk);
    await client.call('VDI.enable_cbt', vm.disk);
    const second = await snapshot(vm.ref);
    expect((await client.failure('VDI.list_changed_blocks', first.disk, second.disk))[0]).toBe(
      'SR_BACKEND_FAILURE_460',
    );
  });

  it('are not told of a disk that a guest has', async () => {
    const vm = await trackedVm();
    const first = await snapshot(vm.ref);
    expect(await client.failure('VDI.list_changed_blocks', first.disk, vm.disk)).toStrictEqual([
      'VDI_IN_USE',
      vm.disk,
      'list_changed_blocks',
    ]);
  });

  it('are refused where they can’t be', async () => {
    const vm = await trackedVm();
    const { disk } = await snapshot(vm.ref);
    expect((await client.failure('VDI.enable_cbt', disk))[0]).toBe('OPERATION_NOT_ALLOWED');
    expect((await client.failure('VDI.data_destroy', vm.disk))[0]).toBe('OPERATION_NOT_ALLOWED');
    await client.call('VDI.disable_cbt', vm.disk);
    const untracked = await snapshot(vm.ref);
    expect(await client.failure('VDI.data_destroy', untracked.disk)).toStrictEqual([
      'VDI_NO_CBT_METADATA',
      untracked.disk,
    ]);
  });

  it('leave metadata that can do nothing else', async () => {
    const vm = await trackedVm();
    const first = await snapshot(vm.ref);
    await client.call('VM.destroy', first.vm);
    await client.call('VDI.data_destroy', first.disk);
    expect(await client.call('VDI.get_type', first.disk)).toBe('cbt_metadata');
    for (const method of ['VDI.get_nbd_info', 'VDI.clone']) {
      expect(await client.failure(method, first.disk)).toStrictEqual([
        'VDI_INCOMPATIBLE_TYPE',
        first.disk,
        'cbt_metadata',
      ]);
    }
    await client.call('VDI.destroy', first.disk);
    expect((await client.failure('VDI.get_record', first.disk))[0]).toBe('HANDLE_INVALID');
  });
});

describe('chains of snapshots', () => {
  it('show their bases as unmanaged disks until they are merged', async () => {
    const vm = await trackedVm();
    await write(vm.diskUuid, 0, SIZE, 'content');
    const first = await snapshot(vm.ref);
    const parentOf = async (vdi: string): Promise<string | undefined> =>
      (await client.call<Record<string, string>>('VDI.get_sm_config', vdi))['vhd-parent'];
    const parent = await parentOf(vm.disk);
    expect(await parentOf(first.disk)).toBe(parent);
    const base = await client.call<string>('VDI.get_by_uuid', parent);
    expect(await client.call('VDI.get_managed', base)).toBe(false);
    const before = await contentOf(vm.disk);
    await client.call('VM.destroy', first.vm);
    await client.call('VDI.destroy', first.disk);
    while ((await parentOf(vm.disk)) !== undefined) {
      await client.call('VM.get_all');
    }
    expect((await client.failure('VDI.get_record', base))[0]).toBe('HANDLE_INVALID');
    expect((await contentOf(vm.disk)).equals(before)).toBe(true);
  });

  it('take no snapshot beyond thirty', async () => {
    const vm = await trackedVm();
    let failure: readonly string[] = [];
    for (let count = 0; count < 31 && failure.length === 0; count += 1) {
      await write(vm.diskUuid, 0, 512, String(count));
      failure = await client.call('VDI.snapshot', vm.disk).then(
        () => [],
        (error: Error) => [error.message.split(' ')[0] ?? ''],
      );
    }
    expect(failure).toStrictEqual(['SR_BACKEND_FAILURE_109']);
  });
});
