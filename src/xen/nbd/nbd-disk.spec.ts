import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AppError } from '../../kernel/errors.ts';
import { fingerprintOfPem } from '../pinned-tls.ts';
import { ConnectionBudget } from './connection-budget.ts';
import { NbdDisk } from './nbd-disk.ts';
import type { NbdExport } from './nbd-export.ts';
import { hasProgram, makeCertificate, type RunningServer, startLine, startServer } from './spec-servers.ts';

const MIB = 1024 * 1024;
const SIZE = 24 * MIB;
const SUBJECT = 'host1.pool.example';
const content = randomBytes(SIZE);
const timeouts = { connectMs: 60_000, requestMs: 60_000 };

let folder: string;
let image: string;
let certificate: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-nbd-'));
  image = join(folder, 'disk.raw');
  await writeFile(image, content);
  certificate = hasProgram('openssl') ? await makeCertificate(folder, SUBJECT) : '';
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

const SERVERS = [
  {
    program: 'nbdkit',
    plain: (port: number) => ['-f', '-r', '-i', '127.0.0.1', '-p', String(port), 'file', image],
    tls: (port: number) => [
      '-f',
      '-r',
      '-i',
      '127.0.0.1',
      '-p',
      String(port),
      '--tls=require',
      `--tls-certificates=${folder}`,
      'file',
      image,
    ],
  },
  {
    program: 'qemu-nbd',
    plain: (port: number) => [...qemu(port), image],
    tls: (port: number) => {
      const credentials = `tls-creds-x509,id=tls0,endpoint=server,dir=${folder},verify-peer=no,sanity-check=no`;
      return ['--object', credentials, '--tls-creds', 'tls0', ...qemu(port), image];
    },
  },
];

function qemu(port: number): string[] {
  return ['-r', '-t', '-e', '16', '-f', 'raw', '-x', 'disk', '-b', '127.0.0.1', '-p', String(port)];
}

function exportAt(port: number, tls: NbdExport['tls'] = null): NbdExport {
  return { address: '127.0.0.1', port, exportName: 'disk', tls };
}

async function openDisk(exports: readonly NbdExport[], signal?: AbortSignal): Promise<NbdDisk> {
  return NbdDisk.open({ locate: async () => exports, timeouts, retryDelayMs: 10 }, signal);
}

async function readAll(disk: NbdDisk, signal?: AbortSignal): Promise<Buffer> {
  const memory = new Uint8Array(new SharedArrayBuffer(disk.sizeBytes));
  const step = 7 * MIB;
  const reads: Promise<void>[] = [];
  for (let at = 0; at < memory.length; at += step) {
    reads.push(disk.read(at, memory.subarray(at, Math.min(at + step, memory.length)), signal));
  }
  const results = await Promise.allSettled(reads);
  for (const result of results) {
    if (result.status === 'rejected') {
      throw result.reason;
    }
  }
  return Buffer.from(memory);
}

describe.each(SERVERS)('a disk served by $program', ({ program, plain, tls }) => {
  const present = hasProgram(program);

  it.skipIf(!present)('is read whole over plain connections', async () => {
    await using server = await startServer(program, plain);
    const disk = await openDisk([exportAt(server.port)]);
    expect(disk.sizeBytes).toBe(SIZE);
    expect((await readAll(disk)).equals(content)).toBe(true);
    expect(disk.bytesRead).toBe(SIZE);
    await disk.close();
  });

  it.skipIf(!present || !hasProgram('openssl'))('is read over TLS with its pinned certificate', async () => {
    await using server = await startServer(program, tls);
    const pinned = { certificateSha256: fingerprintOfPem(certificate), subject: SUBJECT };
    const disk = await openDisk([exportAt(server.port, pinned)]);
    expect((await readAll(disk)).equals(content)).toBe(true);
    await disk.close();
  });

  it.skipIf(!present || !hasProgram('openssl'))('is refused when the certificate is another one', async () => {
    await using server = await startServer(program, tls);
    const other = { certificateSha256: '00'.repeat(32), subject: SUBJECT };
    await expect(openDisk([exportAt(server.port, other)])).rejects.toMatchObject({ code: 'POOL_CERTIFICATE_CHANGED' });
  });

  it.skipIf(!present || !hasProgram('openssl'))('is refused when the certificate is for another name', async () => {
    await using server = await startServer(program, tls);
    const pinned = { certificateSha256: fingerprintOfPem(certificate), subject: 'elsewhere.example' };
    await expect(openDisk([exportAt(server.port, pinned)])).rejects.toMatchObject({ code: 'POOL_CERTIFICATE_CHANGED' });
  });

  it.skipIf(!present)('is not read in clear where TLS is demanded', async () => {
    await using server = await startServer(program, plain);
    const pinned = { certificateSha256: '00'.repeat(32), subject: SUBJECT };
    await expect(openDisk([exportAt(server.port, pinned)])).rejects.toMatchObject({ code: 'NBD_UNAVAILABLE' });
  });

  // nbdkit 1.32 itself aborts when a connection with replies under way is reset.
  it.skipIf(!present || program === 'nbdkit')(
    'goes on after the line was cut, and reads again only what was in flight',
    async () => {
      await using server = await startServer(program, plain);
      await using line = await startLine(server.port);
      line.cutAfter(5 * MIB);
      const disk = await openDisk([exportAt(line.port)]);
      const reading = readAll(disk);
      expect((await reading).equals(content)).toBe(true);
      expect(disk.reconnects).toBeGreaterThan(0);
      expect(disk.bytesRead).toBe(SIZE);
      await disk.close();
    },
  );
});

describe('a disk that cannot be read', () => {
  let server: RunningServer;
  const present = hasProgram('nbdkit');

  beforeAll(async () => {
    if (present) {
      server = await startServer('nbdkit', (port) => [
        '-f',
        '-i',
        '127.0.0.1',
        '-p',
        String(port),
        '--filter=delay',
        'file',
        image,
        'rdelay=300ms',
      ]);
    }
  });
  afterAll(async () => {
    if (present) {
      await server[Symbol.asyncDispose]();
    }
  });

  it('says so when nobody listens', async () => {
    await expect(openDisk([exportAt(1)])).rejects.toMatchObject({ code: 'NBD_UNAVAILABLE' });
  });

  it('says so when the pool offers no address', async () => {
    await expect(openDisk([])).rejects.toMatchObject({ code: 'NBD_UNAVAILABLE' });
  });

  it.skipIf(!present)('passes over an address that does not answer', async () => {
    const disk = await openDisk([exportAt(1), exportAt(server.port)]);
    const piece = new Uint8Array(MIB);
    await disk.read(MIB, piece);
    expect(Buffer.from(piece).equals(content.subarray(MIB, 2 * MIB))).toBe(true);
    await disk.close();
  });

  it.skipIf(!present)('lets go of the memory as soon as the read is cancelled', async () => {
    const disk = await openDisk([exportAt(server.port)]);
    const stop = new AbortController();
    const memory = new Uint8Array(8 * MIB);
    const reading = disk.read(0, memory, stop.signal);
    stop.abort(new AppError('JOB_CANCELLED', 'stopped'));
    await expect(reading).rejects.toMatchObject({ kind: 'cancelled' });
    memory.fill(7);
    const again = new Uint8Array(MIB);
    await disk.read(4 * MIB, again);
    expect(Buffer.from(again).equals(content.subarray(4 * MIB, 5 * MIB))).toBe(true);
    expect(memory.every((byte) => byte === 7)).toBe(true);
    await disk.close();
  });

  it.skipIf(!present)('keeps to the number of connections a host is given, and still reads every disk', async () => {
    await using line = await startLine(server.port);
    const budget = new ConnectionBudget(1);
    const options = { locate: async () => [exportAt(line.port)], timeouts, retryDelayMs: 5, budget, connections: 3 };
    const first = await NbdDisk.open(options);
    const second = NbdDisk.open(options);
    await first.read(0, new Uint8Array(8 * MIB));
    expect(line.connections).toBe(1);
    await first.close();
    const later = await second;
    await later.read(0, new Uint8Array(MIB));
    await later.close();
    expect(line.connections).toBe(2);
  });

  it.skipIf(!present)('gives up after the allowed attempts', async () => {
    await using line = await startLine(server.port);
    const disk = await NbdDisk.open({
      locate: async () => [exportAt(line.port)],
      timeouts,
      retryDelayMs: 5,
      attempts: 2,
    });
    line.cutAfter(1000);
    line.cut();
    await expect(disk.read(0, new Uint8Array(MIB))).rejects.toMatchObject({ code: 'NBD_FAILED' });
    await disk.close();
  });

  it.skipIf(!present)('reads what does not begin or end at a sector', async () => {
    const disk = await openDisk([exportAt(server.port)]);
    const piece = new Uint8Array(777);
    await disk.read(100, piece);
    expect(Buffer.from(piece).equals(content.subarray(100, 877))).toBe(true);
    await disk.close();
  });
});
