import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { sendEvents, type SseMessage } from './sse.ts';

const KIB_64 = 'x'.repeat(65_536);

it('lets a client go that takes nothing, and takes no more messages than it can send', async () => {
  let made = 0;
  async function* endless(): AsyncGenerator<SseMessage> {
    for (;;) {
      made += 1;
      yield { id: String(made), event: 'test', data: KIB_64 };
    }
  }
  const sent = Promise.withResolvers<void>();
  const server = createServer((_, response) => {
    void sendEvents(response, endless(), { patienceMs: 50, heartbeatMs: 10 }).finally(sent.resolve);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1').pause();
  client.on('error', () => {
    // The server ends it.
  });
  client.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await sent.promise;
  expect(made).toBeGreaterThan(1);
  // What the sockets' own buffers hold, and one more.
  expect(made).toBeLessThan(1_000);
  client.destroy();
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});
