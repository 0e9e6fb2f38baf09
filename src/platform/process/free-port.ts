import { randomInt } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { errnoOf } from '../../kernel/errors.ts';

const LOWEST = 10_000;
/** Where the kernel doesn't say: the lowest port that any of the usual systems gives to outgoing connections. */
const USUAL_FIRST_EPHEMERAL = 32_768;
const TRIES = 100;

/**
 * A TCP port of `host` that nobody listens on right now. It is none of those that outgoing connections get: on a busy
 * machine one of them could take it before the server that it is for does, or while that server restarts. Another
 * server may still be quicker: callers try again.
 */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  const end = Math.max(LOWEST + 1, await firstEphemeral());
  for (let tried = 0; tried < TRIES; tried += 1) {
    const port = await listenOnce(randomInt(LOWEST, end), host);
    if (port !== null) {
      return port;
    }
  }
  throw new Error(`No port of ${host} is free.`);
}

async function firstEphemeral(): Promise<number> {
  const range = await readFile('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').catch(() => ''); // no Linux
  return Number.parseInt(range, 10) || USUAL_FIRST_EPHEMERAL;
}

/** The port, or null where somebody has it. */
async function listenOnce(port: number, host: string): Promise<number | null> {
  const server = createServer();
  return await new Promise((resolve, reject) => {
    server.once('error', (error) => {
      if (errnoOf(error) === 'EADDRINUSE') {
        resolve(null);
      } else {
        reject(error);
      }
    });
    server.listen(port, host, () => server.close(() => resolve(port)));
  });
}
