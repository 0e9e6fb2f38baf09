import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ControlServer } from './control/control-server.ts';
import { strike } from './control/fault-routes.ts';
import { HELP, type Options, readOptions } from './options.ts';
import { Simulator } from './simulator.ts';

/** Writes the file whole or not at all. */
function writeReadyFile(path: string, simulator: Simulator, control: string, options: Options): void {
  const pools = simulator.pools.map((pool, index) => ({
    uuid: pool.uuid,
    name: pool.name,
    url: simulator.url(pool.coordinator),
    hosts: pool.hosts.map((host) => simulator.url(host)),
    username: options.pools[index]?.user,
    password: options.pools[index]?.password,
    certificate: pool.coordinator.certificate.certificate,
  }));
  writeFileSync(`${path}.new`, JSON.stringify({ control, pools }, undefined, 2));
  renameSync(`${path}.new`, path);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    // ESRCH: there is no such process.
    return false;
  }
}

function stopWithParent(options: Options, stop: () => void): void {
  const { parentPid } = options;
  if (parentPid !== undefined) {
    setInterval(() => {
      if (!isAlive(parentPid)) {
        stop();
      }
    }, 500).unref();
  }
  if (options.exitWithStdin) {
    process.stdin.on('end', stop).on('close', stop).on('error', stop).resume();
  }
  process.on('SIGTERM', stop).on('SIGINT', stop).on('SIGHUP', stop);
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(HELP);
    return;
  }
  const folder = options.data ?? mkdtempSync(join(tmpdir(), 'holdfast-simulator-'));
  const simulator = new Simulator({ ...options, folder });
  const control = new ControlServer(simulator);
  simulator.faults.strike = async (action) => {
    await strike(simulator, action).catch((error: unknown) => {
      // Whoever meets the fault goes on; what it was to do to the world could not be done.
      simulator.log.add('fault-error', { message: String(error) });
    });
  };
  await simulator.listen();
  const url = await control.listen(options.controlPort);
  let stopping = false;
  const stop = (): void => {
    if (!stopping) {
      stopping = true;
      void Promise.all([control.close(), simulator.close()]).finally(() => {
        rmSync(options.data === undefined ? folder : join(folder, 'disks'), { recursive: true, force: true });
        process.exit(0);
      });
    }
  };
  stopWithParent(options, stop);
  if (options.readyFile !== undefined) {
    writeReadyFile(options.readyFile, simulator, url, options);
  }
  process.stdout.write(`control ${url}\n`);
  for (const pool of simulator.pools) {
    process.stdout.write(`pool ${pool.name} ${pool.hosts.map((host) => simulator.url(host)).join(' ')}\n`);
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
