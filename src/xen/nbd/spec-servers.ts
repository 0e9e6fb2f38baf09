import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

/** NBD servers that we did not write, a certificate for them, and a line that can be cut: for specs only. */

export function hasProgram(name: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${name}`]).status === 0;
}

const START_ATTEMPTS = 5;

export interface RunningServer extends AsyncDisposable {
  readonly port: number;
}

/** Its port was free a moment before; where another program was quicker it is started again at another one. */
export async function startServer(program: string, args: (port: number) => readonly string[]): Promise<RunningServer> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    const child = spawn(program, args(port), { stdio: 'ignore' });
    const exited = once(child, 'exit');
    while (child.exitCode === null && !(await accepts(port))) {
      await delay(25);
    }
    if (child.exitCode === null) {
      return {
        port,
        [Symbol.asyncDispose]: async () => {
          child.kill('SIGKILL');
          await exited;
        },
      };
    }
    if (attempt === START_ATTEMPTS) {
      throw new Error(`${program} ended with exit code ${child.exitCode}`);
    }
  }
}

/** Server certificate and key under the names that both nbdkit and qemu-nbd look for; returns the PEM. */
export async function makeCertificate(folder: string, subject: string): Promise<string> {
  const at = (name: string): string => join(folder, name);
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const name = ['-subj', `/CN=${subject}`, '-addext', `subjectAltName=DNS:${subject}`];
  const files = ['-keyout', at('server-key.pem'), '-out', at('server-cert.pem')];
  await promisify(execFile)('openssl', ['req', '-x509', ...key, ...name, ...files]);
  const pem = await readFile(at('server-cert.pem'), 'utf8');
  await writeFile(at('ca-cert.pem'), pem);
  return pem;
}

export interface CuttableLine extends AsyncDisposable {
  readonly port: number;
  readonly connections: number;
  /** Resets what is connected now; new connections work again. */
  cut(): void;
  /** Cuts each connection after this many bytes from the server; 0 for never. */
  cutAfter(bytes: number): void;
}

export async function startLine(toPort: number): Promise<CuttableLine> {
  const sockets = new Set<Socket>();
  let connections = 0;
  let allowance = 0;
  const server = createServer((near) => {
    connections += 1;
    const far = connect(toPort, '127.0.0.1');
    let passed = 0;
    far.on('data', (data: Buffer) => {
      passed += data.length;
      if (allowance > 0 && passed > allowance) {
        near.resetAndDestroy();
        far.destroy();
      }
    });
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => sockets.delete(socket));
    }
    far.on('close', () => near.destroy());
    near.pipe(far).pipe(near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => {
    for (const socket of sockets) {
      socket.destroy();
    }
  };
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return connections;
    },
    cut,
    cutAfter: (bytes) => {
      allowance = bytes;
    },
    [Symbol.asyncDispose]: async () => {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    // Not up yet: that is the answer.
    return false;
  } finally {
    socket.destroy();
  }
}
