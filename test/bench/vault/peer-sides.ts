import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { PeerCommand } from '../../../scripts/peers/peer-program.ts';
import { runMeasured, type Measured } from './run-measured.ts';
import type { RowName, Side } from './side.ts';
import type { Workshop } from './workshop.ts';

/** A peer's commands for each step; `undefined` where it has no such thing. */
export interface PeerCommands {
  readonly env: (repository: string) => Record<string, string>;
  readonly create: (repository: string) => readonly string[];
  readonly backup: (repository: string, name: string) => readonly string[];
  readonly verify: (repository: string) => readonly string[];
  readonly dump: (repository: string) => readonly string[];
  readonly collect: (repository: string) => readonly (readonly string[])[];
}

const DISK = 'disk.img';

const RESTIC: PeerCommands = {
  env: (repository) => ({ RESTIC_PASSWORD: 'bench', RESTIC_CACHE_DIR: `${repository}.cache` }),
  create: (repository) => ['-q', '-r', repository, 'init'],
  backup: (repository, name) => ['-q', '-r', repository, 'backup', '--tag', name, DISK],
  verify: (repository) => ['-q', '-r', repository, 'check', '--read-data'],
  dump: (repository) => ['-q', '-r', repository, 'dump', '--tag', 'light', 'latest', `/${DISK}`],
  collect: (repository) => [['-q', '-r', repository, 'forget', '--tag', 'uniform', '--keep-tag', 'no', '--prune']],
};

const BORG: PeerCommands = {
  env: (repository) => ({
    BORG_PASSPHRASE: 'bench',
    BORG_BASE_DIR: `${repository}.base`,
    BORG_DELETE_I_KNOW_WHAT_I_AM_DOING: 'YES',
  }),
  create: (repository) => ['init', '-e', 'repokey-blake2', repository],
  backup: (repository, name) => ['create', `${repository}::${name}`, DISK],
  verify: (repository) => ['check', '--verify-data', repository],
  dump: (repository) => ['extract', '--stdout', `${repository}::light`],
  collect: (repository) => [
    ['delete', `${repository}::uniform`],
    ['compact', repository],
  ],
};

const RUSTIC: PeerCommands = {
  env: (repository) => ({
    RUSTIC_REPOSITORY: repository,
    RUSTIC_PASSWORD: 'bench',
    RUSTIC_NO_PROGRESS: 'true',
    RUSTIC_LOG_LEVEL: 'error',
    XDG_CACHE_HOME: `${repository}.cache`,
  }),
  create: () => ['init'],
  backup: (_, name) => ['backup', '--tag', name, DISK],
  verify: () => ['check', '--read-data'],
  dump: () => ['dump', '--filter-tags', 'light', `latest:${DISK}`],
  collect: () => [
    ['forget', '--filter-tags', 'uniform', '--keep-none', '--prune', '--instant-delete', '--keep-delete', '0s'],
  ],
};

export const PEER_COMMANDS = { restic: RESTIC, borg: BORG, rustic: RUSTIC } as const;

export class PeerSide implements Side {
  readonly name: string;
  readonly #command: PeerCommand;
  readonly #commands: PeerCommands;
  readonly #shop: Workshop;

  constructor(name: string, command: PeerCommand, commands: PeerCommands, shop: Workshop) {
    this.name = name;
    this.#command = command;
    this.#commands = commands;
    this.#shop = shop;
  }

  async create(repository: string): Promise<void> {
    await mkdir(join(repository, '..'), { recursive: true });
    await this.#run(repository, this.#commands.create(repository));
  }

  async run(row: RowName, repository: string): Promise<Measured | null> {
    const { backup, verify, dump, collect } = this.#commands;
    // All that these programs can check without decoding is names and sizes; that stands beside what reads all data.
    const steps: Readonly<Record<RowName, () => readonly (readonly string[])[]>> = {
      full: () => [backup(repository, row)],
      uniform: () => [backup(repository, row)],
      heavy: () => [backup(repository, row)],
      light: () => [backup(repository, row)],
      second: () => [backup(repository, row)],
      'verify tags': () => [],
      'verify deep': () => [verify(repository)],
      restore: () => [dump(repository)],
      'delete + collect': () => collect(repository),
    };
    const measured: Measured[] = [];
    for (const args of steps[row]()) {
      measured.push(await this.#run(repository, args));
    }
    return measured.length === 0 ? null : sum(measured);
  }

  async isRestored(repository: string, image: string): Promise<boolean> {
    return (await this.#run(repository, this.#commands.dump(repository), image)).same === true;
  }

  async #run(repository: string, args: readonly string[], compareWith?: string): Promise<Measured> {
    const { file, args: first, env } = this.#command;
    return runMeasured({
      file,
      args: [...first, ...args],
      env: { ...env, ...this.#commands.env(repository) },
      cwd: this.#shop.source,
      ...(compareWith === undefined ? {} : { compareWith }),
    });
  }
}

function sum(steps: readonly Measured[]): Measured {
  return {
    seconds: steps.reduce((all, step) => all + step.seconds, 0),
    cpuSeconds: steps.reduce((all, step) => all + step.cpuSeconds, 0),
    peakBytes: Math.max(...steps.map((step) => step.peakBytes)),
    deviceReadBytes: steps.reduce((all, step) => all + step.deviceReadBytes, 0),
  };
}
