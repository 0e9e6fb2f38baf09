import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { NbdDisk } from './nbd-disk.ts';
import { hasProgram, startServer } from './spec-servers.ts';

it.skipIf(!hasProgram('nbdkit'))(
  'a disk that ends within a sector is read to its last byte, and no further',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-odd-'));
    try {
      const content = randomBytes(3 * 512 + 100);
      const image = join(folder, 'disk.raw');
      await writeFile(image, content);
      const serve = (port: number): string[] => ['-f', '-r', '-i', '127.0.0.1', '-p', String(port), 'file', image];
      await using server = await startServer('nbdkit', serve);
      const target = { address: '127.0.0.1', port: server.port, exportName: 'disk', tls: null };
      const timeouts = { connectMs: 60_000, requestMs: 60_000 };
      const disk = await NbdDisk.open({ locate: async () => [target], timeouts, retryDelayMs: 10, attempts: 2 });
      expect(disk.sizeBytes).toBe(content.length);
      for (const [from, to] of [
        [0, content.length],
        [1000, content.length],
        [1600, 1601],
        [5, 600],
      ] as const) {
        const into = new Uint8Array(to - from);
        await disk.read(from, into);
        expect(Buffer.compare(into, content.subarray(from, to))).toBe(0);
      }
      await disk.close();
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);
