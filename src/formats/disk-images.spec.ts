import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { GIB, KIB, MIB } from '../kernel/bytes.ts';
import { FileTarget, Qcow2Image, RawImage, VhdImage, type DiskImage, type ImageTarget } from './index.ts';

const hasQemu = spawnSync('qemu-img', ['--version']).status === 0;

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-images-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

interface Extent {
  readonly offset: number;
  readonly bytes: number;
  readonly kind: 'data' | 'zeros' | 'hole';
}

interface Layout {
  readonly sizeBytes: number;
  readonly extents: readonly Extent[];
}

/** Stretches that follow each other, in a shuffled order; the sizes are multiples of nothing. */
function layouts(maxBytes: number): fc.Arbitrary<Layout> {
  const stretch = fc.record({
    bytes: fc.oneof(
      fc.integer({ min: 1, max: maxBytes }),
      fc.integer({ min: 1, max: 40 }).map((n) => n * 64 * KIB),
    ),
    kind: fc.constantFrom('data', 'zeros', 'hole'),
  });
  const shuffled = fc.array(stretch, { minLength: 1, maxLength: 7 }).chain((stretches) => {
    let sizeBytes = 0;
    const extents = stretches.map(({ bytes, kind }) => {
      sizeBytes += bytes;
      return { offset: sizeBytes - bytes, bytes, kind } as const;
    });
    const order = fc.shuffledSubarray(extents, { minLength: extents.length });
    return order.map((some) => ({ sizeBytes, extents: some }));
  });
  return shuffled;
}

function contentOf({ offset, bytes, kind }: Extent): Uint8Array {
  const digest = createHash('sha256').update(String(offset)).digest();
  return kind === 'data' ? Buffer.alloc(bytes, digest) : new Uint8Array(bytes);
}

async function writeImage(path: string, layout: Layout, make: (target: ImageTarget) => DiskImage): Promise<void> {
  const file = await open(path, 'w');
  try {
    const image = make(new FileTarget(file));
    await Promise.all(
      layout.extents.map(async (extent) => {
        const { offset, bytes, kind } = extent;
        await (kind === 'hole' ? image.hole(offset, bytes) : image.write(offset, contentOf(extent)));
      }),
    );
    await image.finish();
  } finally {
    await file.close();
  }
}

function diskOf({ sizeBytes, extents }: Layout): Uint8Array {
  const disk = new Uint8Array(sizeBytes);
  extents.forEach((extent) => disk.set(contentOf(extent), extent.offset));
  return disk;
}

async function qemu(...args: string[]): Promise<string> {
  return (await promisify(execFile)('qemu-img', args)).stdout;
}

async function virtualSize(format: string, path: string): Promise<number> {
  const info = JSON.parse(await qemu('info', '--output=json', '-f', format, path)) as { 'virtual-size': number };
  return info['virtual-size'];
}

const sectors = (bytes: number): number => Math.ceil(bytes / 512) * 512;

test('a raw image is the disk, whatever the order in which it comes', async () => {
  await fc.assert(
    fc.asyncProperty(layouts(200 * KIB), async (layout) => {
      const path = join(folder, 'a.raw');
      await writeImage(path, layout, (target) => new RawImage(target, layout.sizeBytes));
      expect(Buffer.compare(await readFile(path), diskOf(layout))).toBe(0);
    }),
    { numRuns: 40 },
  );
});

test('on a device, holes become zeros and the size stays', async () => {
  const path = join(folder, 'device');
  await writeFile(path, Buffer.alloc(5 * MIB, 7));
  const file = await open(path, 'r+');
  const image = new RawImage(new FileTarget(file), 4 * MIB, { onDevice: true });
  await image.write(0, Buffer.alloc(100, 1));
  await image.hole(100, 4 * MIB - 100);
  await image.finish();
  await file.close();
  const wanted = Buffer.alloc(5 * MIB, 7)
    .fill(0, 0, 4 * MIB)
    .fill(1, 0, 100);
  expect(Buffer.compare(await readFile(path), wanted)).toBe(0);
});

test('nothing is written outside of the disk, and no VHD is larger than VHDs can be', async () => {
  const path = join(folder, 'outside');
  const file = await open(path, 'w');
  const target = new FileTarget(file);
  for (const image of [new RawImage(target, 1000), new VhdImage(target, 1000, 0), new Qcow2Image(target, 1000)]) {
    await expect(image.write(1000, Buffer.alloc(100))).rejects.toThrow('not inside');
    await expect(image.hole(-1, 1)).rejects.toThrow('not inside');
  }
  expect(() => new VhdImage(target, 2041 * GIB, 0)).toThrow('at most');
  await file.close();
});

test.skipIf(!hasQemu)('qemu-img reads back every QCOW2 as the disk, and finds nothing to complain about', async () => {
  await fc.assert(
    fc.asyncProperty(layouts(300 * KIB), async (layout) => {
      const [raw, image] = [join(folder, 'q.raw'), join(folder, 'q.qcow2')];
      await writeFile(raw, diskOf(layout));
      await writeImage(image, layout, (target) => new Qcow2Image(target, layout.sizeBytes));
      await qemu('check', '-f', 'qcow2', image);
      await qemu('compare', '-f', 'raw', '-F', 'qcow2', raw, image);
      expect(await virtualSize('qcow2', image)).toBe(sectors(layout.sizeBytes));
    }),
    { numRuns: 25 },
  );
});

test.skipIf(!hasQemu)('qemu-img reads back every VHD as the disk, in its size', async () => {
  await fc.assert(
    fc.asyncProperty(layouts(3 * MIB), async (layout) => {
      const [raw, image] = [join(folder, 'v.raw'), join(folder, 'v.vhd')];
      await writeFile(raw, diskOf(layout));
      await writeImage(image, layout, (target) => new VhdImage(target, layout.sizeBytes, 1_700_000_000_000));
      await qemu('compare', '-f', 'raw', '-F', 'vpc', raw, image);
      expect(await virtualSize('vpc', image)).toBe(sectors(layout.sizeBytes));
    }),
    { numRuns: 20 },
  );
});

test.skipIf(!hasQemu)('large disks that are nearly empty make small images', async () => {
  const disk = {
    sizeBytes: 1500 * GIB + 12_345,
    extents: [
      { offset: 1500 * GIB - 70_000, bytes: 82_345, kind: 'data' },
      { offset: 3, bytes: 100 * KIB, kind: 'data' },
      { offset: 700 * GIB, bytes: 10 * MIB, kind: 'zeros' },
    ],
  } as const;
  const raw = join(folder, 'large.raw');
  await writeImage(raw, disk, (target) => new RawImage(target, disk.sizeBytes));
  const images = [
    { format: 'qcow2', make: (target: ImageTarget) => new Qcow2Image(target, disk.sizeBytes) },
    { format: 'vpc', make: (target: ImageTarget) => new VhdImage(target, disk.sizeBytes, 0) },
  ];
  for (const { format, make } of images) {
    const path = join(folder, `large.${format}`);
    await writeImage(path, disk, make);
    await qemu('compare', '-f', 'raw', '-F', format, raw, path);
    expect((await stat(path)).size).toBeLessThan(16 * MIB);
  }
  await qemu('check', '-f', 'qcow2', join(folder, 'large.qcow2'));
});
