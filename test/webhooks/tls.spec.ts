import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSelfSigned } from '../../simulator/certificates/self-signed.ts';
import { createAddressPolicy } from '../../src/control/webhooks/address-policy.ts';
import { postWebhook, type PostOptions, type WebhookAnswer } from '../../src/control/webhooks/post-webhook.ts';

const certificate = createSelfSigned('hooks.example', '127.0.0.1');
const names: string[] = [];
let server: Server;
let port: number;

beforeAll(async () => {
  server = createServer({ cert: certificate.certificate, key: certificate.key }, (request, response) => {
    names.push('servername' in request.socket ? String(request.socket.servername) : '');
    request.resume().on('end', () => response.writeHead(204).end());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  port = (server.address() as AddressInfo).port;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => {
    server.close(resolve);
  });
});

async function post(host: string, options: Partial<PostOptions>): Promise<WebhookAnswer> {
  return await postWebhook(
    { url: `https://${host}:${port}/hook`, headers: {}, body: '{}' },
    {
      policy: createAddressPolicy([{ address: '127.0.0.0', prefix: 8, family: 'ipv4' }]),
      timeoutMs: 5_000,
      resolve: async () => [{ address: '127.0.0.1', family: 4 }],
      ...options,
    },
  );
}

describe('webhooks over TLS', () => {
  const trusted = { extraAuthority: certificate.certificate };

  it('go to a receiver whose certificate is good for the name, at the pinned address', async () => {
    expect(await post('hooks.example', trusted)).toMatchObject({ outcome: 'DELIVERED', status: 204 });
    expect(names).toEqual(['hooks.example']);
  });

  it('go to an address that the certificate names', async () => {
    expect(await post('127.0.0.1', trusted)).toMatchObject({ outcome: 'DELIVERED' });
  });

  it('are not sent where nobody vouches for the certificate', async () => {
    expect(await post('hooks.example', {})).toMatchObject({
      outcome: 'RETRY',
      error: expect.stringMatching(/SELF_SIGNED|UNABLE_TO_VERIFY/) as unknown,
    });
    expect(names).toHaveLength(2);
  });

  it('are not sent where the certificate is for another name', async () => {
    expect(await post('other.example', trusted)).toMatchObject({
      outcome: 'RETRY',
      error: expect.stringContaining('ERR_TLS_CERT_ALTNAME_INVALID') as unknown,
    });
    expect(names).toHaveLength(2);
  });
});
