import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { systemClock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import { freePort } from '../process/free-port.ts';
import { endOrphan, keepOnePreviousLog, lastLinesOf, writePidFile } from './server-remains.ts';
import type { KeptServer, ServerKeeper } from './server-keeper.ts';

export interface TemporalOptions {
  readonly keeper: ServerKeeper;
  /** The `temporal` program. */
  readonly program: string;
  /** Holds its database; survives restarts. */
  readonly folder: string;
  readonly logFile: string;
  readonly namespace: string;
}

export interface TemporalServer {
  /** host:port of its gRPC service. */
  readonly address: string;
  readonly server: KeptServer;
}

const START_ATTEMPTS = 3;
const READY_WITHIN_MS = 60_000;

/** Dispatch between tenants is ordered by fairness key. */
const DYNAMIC_CONFIG = ['matching.useNewMatcher=true', 'matching.enableFairness=true'];

/** Starts a Temporal server on SQLite and returns when its namespace answers. Throws TEMPORAL_UNAVAILABLE. */
export async function startTemporal(options: TemporalOptions): Promise<TemporalServer> {
  await mkdir(options.folder, { recursive: true, mode: 0o700 });
  const pidFile = join(options.folder, 'server.pid');
  await endOrphan({ pidFile, program: 'temporal', folder: options.folder, signal: 'SIGTERM' });
  await keepOnePreviousLog(options.logFile);
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    const address = `127.0.0.1:${port}`;
    const server = await options.keeper.run({
      id: 'Temporal',
      command: options.program,
      args: serverArguments(options, port),
      cwd: options.folder,
      env: { PATH: '/usr/bin:/bin', HOME: options.folder, TMPDIR: options.folder },
      logFile: options.logFile,
      stopSignals: ['SIGTERM', 'SIGKILL'],
      graceMs: 5_000,
    });
    await writePidFile(pidFile, server.pid);
    const giveUp = new AbortController();
    const ending = await Promise.race([server.ended, namespaceAnswers(address, options.namespace, giveUp.signal)]);
    if (ending === null) {
      return { address, server };
    }
    giveUp.abort();
    // Its ports were free a moment ago; another program may have been quicker.
    if (attempt === START_ATTEMPTS) {
      throw new AppError(
        'TEMPORAL_UNAVAILABLE',
        `The Temporal server ended with ${ending} at start: ${await lastLinesOf(options.logFile)}`,
        { hint: `Its log is ${options.logFile}.` },
      );
    }
  }
}

function serverArguments({ folder, namespace }: TemporalOptions, port: number): readonly string[] {
  const flags: Record<string, string> = {
    '--ip': '127.0.0.1',
    '--port': String(port),
    '--db-filename': join(folder, 'temporal.db'),
    '--namespace': namespace,
    '--log-level': 'warn',
    '--log-format': 'json',
  };
  const dynamicConfig = DYNAMIC_CONFIG.flatMap((value) => ['--dynamic-config-value', value]);
  return ['server', 'start-dev', '--headless', ...Object.entries(flags).flat(), ...dynamicConfig];
}

/** Resolves with null once the namespace can be described, or nobody waits for it any more. */
async function namespaceAnswers(address: string, namespace: string, giveUp: AbortSignal): Promise<null> {
  const deadline = systemClock.monotonic() + READY_WITHIN_MS;
  while (!giveUp.aborted) {
    try {
      const connection = await Connection.connect({ address, connectTimeout: 1_000 });
      try {
        await connection.workflowService.describeNamespace({ namespace });
        return null;
      } finally {
        await connection.close();
      }
    } catch (cause) {
      if (systemClock.monotonic() > deadline) {
        throw new AppError('TEMPORAL_UNAVAILABLE', `The Temporal server at ${address} does not answer.`, { cause });
      }
    }
    await systemClock.sleep(100);
  }
  return null;
}
