/**
 * The process that keeps the embedded servers. It is started by Holdfast, holds the other end of a pipe, and ends
 * every server it runs as soon as that pipe closes: also when Holdfast was killed and could not end them itself.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { ServerSpec, WatchdogCommand, WatchdogEvent } from './watchdog-protocol.ts';

interface Kept {
  readonly spec: ServerSpec;
  readonly child: ChildProcess;
  readonly ended: Promise<void>;
  stopping: boolean;
}

const kept = new Map<string, Kept>();
const removeAtEnd: string[] = [];

function tell(event: WatchdogEvent): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

function run(spec: ServerSpec): void {
  const log = openSync(spec.logFile, 'a', 0o644);
  const child = spawn(spec.command, [...spec.args], {
    cwd: spec.cwd,
    env: spec.env,
    stdio: ['ignore', log, log],
    ...(spec.user === undefined ? {} : { uid: spec.user.uid, gid: spec.user.gid }),
  });
  closeSync(log);
  const { promise, resolve } = Promise.withResolvers<void>();
  child.once('error', (error) => {
    if (child.pid === undefined) {
      kept.delete(spec.id);
      tell({ event: 'failed', id: spec.id, message: error.message });
      resolve();
    }
  });
  child.once('exit', (code, signal) => {
    kept.delete(spec.id);
    tell({ event: 'exited', id: spec.id, code, signal });
    resolve();
  });
  kept.set(spec.id, { spec, child, ended: promise, stopping: false });
  if (child.pid !== undefined) {
    tell({ event: 'started', id: spec.id, pid: child.pid });
  }
}

async function stop(server: Kept): Promise<void> {
  if (!server.stopping) {
    server.stopping = true;
    const [first, ...rest] = server.spec.stopSignals;
    server.child.kill(first ?? 'SIGTERM');
    const timers = rest.map((signal, index) =>
      setTimeout(() => server.child.kill(signal), (index + 1) * server.spec.graceMs),
    );
    void server.ended.then(() => timers.forEach((timer) => clearTimeout(timer)));
  }
  await server.ended;
}

let ending = false;

async function end(): Promise<void> {
  if (ending) {
    return;
  }
  ending = true;
  await Promise.all([...kept.values()].map(async (server) => await stop(server)));
  for (const path of removeAtEnd) {
    rmSync(path, { recursive: true, force: true, maxRetries: 5 });
  }
  process.exit(0);
}

function obey(command: WatchdogCommand): void {
  if (command.do === 'run') {
    run(command.spec);
  } else if (command.do === 'stop') {
    const server = kept.get(command.id);
    if (server !== undefined) {
      void stop(server);
    }
  } else {
    removeAtEnd.push(command.path);
  }
}

// Nobody reads any more once the parent is gone; ending the servers must not fail on that.
process.stdout.on('error', () => undefined);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => void end());
}
createInterface({ input: process.stdin })
  .on('line', (line) => obey(JSON.parse(line) as WatchdogCommand))
  .on('close', () => void end());
