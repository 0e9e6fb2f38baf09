import { createServer } from 'node:net';

/** A TCP port of `host` that nobody listens on right now. Another program may still take it first: callers try again. */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  const server = createServer();
  return await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, () => {
      const address = server.address();
      server.close(() => {
        if (address === null || typeof address === 'string') {
          reject(new Error(`No port of ${host} is free.`));
        } else {
          resolve(address.port);
        }
      });
    });
  });
}
