import { spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  createRepository,
  DirectoryStore,
  FileKeyRing,
  MemoryLeases,
  openRepository,
  type Repository,
  type Store,
} from '../../../engine/index.ts';
import { KIB } from '../../../kernel/bytes.ts';
import { systemClock } from '../../../kernel/clock.ts';

const PROGRAM = fileURLToPath(new URL('../../vault-tool.ts', import.meta.url));

/** Small packs, so that damage to one leaves much of the disk whole. */
const PARAMETERS = {
  blockBytes: 4 * KIB,
  minChunkBytes: 8 * KIB,
  averageChunkBytes: 16 * KIB,
  maxChunkBytes: 64 * KIB,
  segmentBytes: 256 * KIB,
  packBytes: 256 * KIB,
};

export interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A vault with two restore points, the folder of its keys, and room beside them. */
export interface SmallVault extends AsyncDisposable {
  readonly folder: string;
  readonly vault: string;
  readonly keys: string;
  /** `--vault` and `--keys`. */
  readonly places: readonly string[];
  readonly first: string;
  /** With the disk `swap` besides. */
  readonly second: string;
  readonly root: Buffer;
  readonly swap: Buffer;
  /** As a service would, beside the tool. */
  open(): Promise<Repository>;
}

/** In a folder, unless it is to be in another store. */
export async function makeSmallVault(elsewhere?: Store): Promise<SmallVault> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-tool-'));
  const [vault, keys] = [join(folder, 'vaults', 'acme'), join(folder, 'keys')];
  await mkdir(vault, { recursive: true });
  const root = Buffer.from(randomBytes(1500 * KIB + 700)).fill(0, 300 * KIB, 800 * KIB);
  const swap = randomBytes(90 * KIB);
  const [first, second] = [randomUUID(), randomUUID()];
  const ids = { tenantId: randomUUID(), repositoryId: randomUUID() };
  const keyRing = new FileKeyRing(join(keys, 'tenants'));
  const common = { ...ids, store: elsewhere ?? new DirectoryStore(vault), keyRing, clock: systemClock };
  await createRepository({ ...common, parameters: PARAMETERS });
  const open = async (): Promise<Repository> =>
    await openRepository({ ...common, leases: new MemoryLeases(systemClock), workers: 1 });
  await using repository = await open();
  for (const [pointId, disks] of Object.entries({ [first]: { root }, [second]: { root, swap } })) {
    const sessionId = randomUUID();
    await repository.beginSession({ sessionId, pointId, purpose: 'backup', pins: [] });
    const written = Object.entries(disks).map(async ([diskKey, data]) =>
      repository.writeDisk({
        sessionId,
        diskKey,
        sizeBytes: data.length,
        source: {
          concurrency: 1,
          read: async (offset, into) => into.set(data.subarray(offset, offset + into.length)),
        },
      }),
    );
    const results = await Promise.all(written);
    const config = Buffer.from('{"memoryBytes":1024}');
    const info = { vmName: 'mail server' };
    await repository.commitPoint({ sessionId, pointId, vmId: 'vm-1', takenAt: 0, disks: results, config, info });
    await repository.endSession(sessionId);
  }
  const places = ['--vault', vault, '--keys', keys];
  const dispose = async (): Promise<void> => await rm(folder, { recursive: true, force: true });
  return { folder, vault, keys, places, first, second, root, swap, open, [Symbol.asyncDispose]: dispose };
}

/** As an operator runs it: a process of its own. */
export async function runTool(args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<Outcome> {
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, out, err };
}

/** Files below a folder of the vault: `data`, `index` … */
export async function filesIn({ vault }: SmallVault, area: string): Promise<string[]> {
  const found = await readdir(join(vault, area), { recursive: true, withFileTypes: true });
  return found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** Changes a bit of a file, which may be read-only; `undo` brings it back. */
export async function flipBit(path: string, at: number): Promise<{ readonly undo: () => Promise<void> }> {
  const original = await readFile(path);
  const changed = Buffer.from(original);
  changed[at] = (changed[at] ?? 0) ^ 1;
  const replace = async (data: Buffer): Promise<void> => {
    await rm(path);
    await writeFile(path, data);
  };
  await replace(changed);
  return { undo: async () => await replace(original) };
}
