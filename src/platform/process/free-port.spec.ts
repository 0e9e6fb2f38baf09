import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { freePort } from './free-port.ts';

const RANGE = '/proc/sys/net/ipv4/ip_local_port_range';

it('can be listened on', async () => {
  const port = await freePort();
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  expect(server.address()).toMatchObject({ port });
  server.close();
  await once(server, 'close');
});

it.skipIf(!existsSync(RANGE))('is none that an outgoing connection may have', async () => {
  const first = Number.parseInt(await readFile(RANGE, 'utf8'), 10);
  for (const port of await Promise.all(Array.from({ length: 200 }, async () => await freePort()))) {
    expect(port).toBeLessThan(first);
  }
});
