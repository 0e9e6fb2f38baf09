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
  provenanceOf,
  type CommitPointRequest,
  type PointSummary,
  type Repository,
  type Store,
} from '../../../engine/index.ts';
import { KIB } from '../../../kernel/bytes.ts';
import { systemClock } from '../../../kernel/clock.ts';

export const VAULT_TOOL = fileURLToPath(new URL('../../vault-tool.ts', import.meta.url));

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

/** A vault without restore points, the folder of its keys, and room beside them. */
export interface EmptyVault extends AsyncDisposable {
  readonly tenantId: string;
  readonly repositoryId: string;
  readonly folder: string;
  readonly vault: string;
  readonly keys: string;
  /** `--vault` and `--keys`. */
  readonly places: readonly string[];
  /** As a service would, beside the tool. */
  open(): Promise<Repository>;
}

/** The same with two restore points. */
export interface SmallVault extends EmptyVault {
  readonly first: string;
  /** With the disk `swap` besides. */
  readonly second: string;
  readonly root: Buffer;
  readonly swap: Buffer;
}

/** In a folder, unless it is to be in another store; of a tenant of its own, unless it is said of whom. */
export async function makeEmptyVault(elsewhere?: Store, tenantId: string = randomUUID()): Promise<EmptyVault> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-tool-'));
  const [vault, keys] = [join(folder, 'vaults', 'acme'), join(folder, 'keys')];
  await mkdir(vault, { recursive: true });
  const ids = { tenantId, repositoryId: randomUUID() };
  const keyRing = new FileKeyRing(join(keys, 'tenants'));
  const common = { ...ids, store: elsewhere ?? new DirectoryStore(vault), keyRing, clock: systemClock };
  await createRepository({ ...common, parameters: PARAMETERS });
  const open = async (): Promise<Repository> =>
    await openRepository({ ...common, leases: new MemoryLeases(systemClock), workers: 1 });
  const places = ['--vault', vault, '--keys', keys];
  const dispose = async (): Promise<void> => await rm(folder, { recursive: true, force: true });
  return { ...ids, folder, vault, keys, places, open, [Symbol.asyncDispose]: dispose };
}

/** As `makeEmptyVault`. */
export async function makeSmallVault(elsewhere?: Store, tenantId?: string): Promise<SmallVault> {
  const made = await makeEmptyVault(elsewhere, tenantId);
  const root = Buffer.from(randomBytes(1500 * KIB + 700)).fill(0, 300 * KIB, 800 * KIB);
  const swap = randomBytes(90 * KIB);
  const [first, second] = [randomUUID(), randomUUID()];
  await using repository = await made.open();
  await backUp(repository, first, { root });
  await backUp(repository, second, { root, swap });
  return { ...made, first, second, root, swap };
}

/** In full. `takenAt` is in milliseconds since the epoch. */
export async function backUp(
  repository: Repository,
  pointId: string,
  disks: Readonly<Record<string, Buffer>>,
  takenAt = 0,
): Promise<void> {
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
  await repository.commitPoint({ sessionId, pointId, vmId: 'vm-1', takenAt, disks: results, config, info });
  await repository.endSession(sessionId);
}

/** A restore point without disks, of what else its writer likes. */
export async function commitEmpty(
  world: SmallVault,
  what: Partial<Pick<CommitPointRequest, 'vmId' | 'takenAt' | 'info' | 'config'>>,
): Promise<string> {
  await using repository = await world.open();
  const [sessionId, pointId] = [randomUUID(), randomUUID()];
  const common = { sessionId, pointId, vmId: 'vm-2', takenAt: 0, disks: [], config: Buffer.alloc(0), info: {} };
  await repository.beginSession({ sessionId, pointId, purpose: 'backup', pins: [] });
  await repository.commitPoint({ ...common, ...what });
  await repository.endSession(sessionId);
  return pointId;
}

/** The copy of another vault's restore point, if there is one. */
export async function copyIn(repository: Repository, ofPointId: string): Promise<PointSummary | undefined> {
  for await (const summary of repository.listPoints()) {
    if (provenanceOf(summary.info)?.pointId === ofPointId) {
      return summary;
    }
  }
  return undefined;
}

/** As an operator runs it: a process of its own. */
export async function runTool(args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<Outcome> {
  const child = spawn(process.execPath, [VAULT_TOOL, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, out, err };
}

/** Files below a folder of the vault: `data`, `index` … */
export async function filesIn({ vault }: EmptyVault, area: string): Promise<string[]> {
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
