import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, constants, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Says what takes its time and why. */
export type Announce = (line: string) => void;

/** How a program is started. */
export interface PeerCommand {
  readonly file: string;
  /** Before all other arguments. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export type PeerFound = { readonly command: PeerCommand } | { readonly reason: string };

export interface PeerRecipe {
  /** With its version: the name of its folder in the cache. */
  readonly name: string;
  readonly takes: string;
  /** The program below that folder, once it is there. */
  readonly file: string;
  /** Makes the folder's content. The folder is moved afterwards: nothing in it may name it. */
  make(folder: string, announce: Announce): Promise<void>;
  command(folder: string): PeerCommand;
}

/** From the cache, else made; or why it can't be had. What fails leaves nothing behind. */
export async function obtainPeer(recipe: PeerRecipe, cache: string, announce: Announce): Promise<PeerFound> {
  const folder = join(cache, recipe.name);
  try {
    if (!(await isThere(join(folder, recipe.file)))) {
      await makeOnce(recipe, folder, announce);
    }
    return { command: recipe.command(folder) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    announce(`${recipe.name} can't be had: ${reason}`);
    return { reason };
  }
}

async function makeOnce(recipe: PeerRecipe, folder: string, announce: Announce): Promise<void> {
  announce(`obtaining ${recipe.name} (${recipe.takes}, once) …`);
  await mkdir(dirname(folder), { recursive: true });
  const part = await mkdtemp(`${folder}.part-`);
  try {
    await recipe.make(part, announce);
    await rm(folder, { recursive: true, force: true });
    await rename(part, folder);
  } finally {
    await rm(part, { recursive: true, force: true });
  }
  announce(`obtained ${recipe.name}`);
}

export async function isThere(path: string): Promise<boolean> {
  try {
    await access(path, constants.R_OK);
    return true;
  } catch {
    return false; // whatever the reason: it is no use then
  }
}

/** Runs a program to its end; what it said last is in the error. */
export async function runProgram(file: string, args: readonly string[], cwd: string): Promise<void> {
  const child = spawn(file, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  const keep = (text: Buffer): void => {
    said = (said + text.toString('utf8')).slice(-400);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) {
    throw new Error(`${file} ${args.slice(0, 3).join(' ')} failed: ${said.trim().replaceAll(/\s+/g, ' ')}`);
  }
}
