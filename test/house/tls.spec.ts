import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { createServer, type Server, type TlsOptions } from 'node:tls';
import type { IncomingMessage } from 'node:http';
import { expect, it } from 'vitest';
import { isInstalled, run } from '../simulator/programs.ts';
import { startProgram, startScript } from '../support/program.ts';
import { createTestDatabase } from '../support/test-database.ts';
import { testTemporal } from '../support/test-temporal.ts';

interface World {
  readonly env: Readonly<Record<string, string>>;
  /** PEM of the authority that signed everybody's certificate. */
  readonly authority: string;
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** An authority, and a certificate of its for this machine, as an operator would make them. */
async function makeCertificates(folder: string): Promise<{ authority: string; certificate: string; key: string }> {
  const at = (name: string): string => join(folder, name);
  const [authority, certificate, key] = [at('authority.pem'), at('certificate.pem'), at('key.pem')];
  const asked = at('asked.csr');
  await writeFile(at('names'), 'subjectAltName=IP:127.0.0.1,DNS:localhost');
  const authorityKey = at('authority.key');
  await run('openssl', [
    'req',
    '-x509',
    ...NEW_KEY,
    '-keyout',
    authorityKey,
    '-out',
    authority,
    '-subj',
    '/CN=authority',
  ]);
  await run('openssl', ['req', ...NEW_KEY, '-keyout', key, '-out', asked, '-subj', '/CN=localhost']);
  const signing = ['-CA', authority, '-CAkey', authorityKey, '-CAcreateserial', '-extfile', at('names')];
  await run('openssl', ['x509', '-req', '-in', asked, ...signing, '-out', certificate]);
  return { authority, certificate, key };
}

/** The run's Temporal behind TLS that also wants the client's certificate, and the files that both sides need. */
async function withTls(work: (world: World) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-tls-'));
  const files = await makeCertificates(folder);
  const [authority, certificate, key] = await Promise.all(
    [files.authority, files.certificate, files.key].map(async (file) => await readFile(file, 'utf8')),
  );
  const { address, namespace, taskQueuePrefix } = testTemporal();
  const front = await serveTls(address, { ca: authority, cert: certificate, key });
  const database = await createTestDatabase();
  try {
    const env = {
      DATABASE_URL: database.url,
      TEMPORAL_ADDRESS: `127.0.0.1:${(front.address() as AddressInfo).port}`,
      TEMPORAL_NAMESPACE: namespace,
      TEMPORAL_TLS: 'on',
      TEMPORAL_TLS_CA: files.authority,
      TEMPORAL_TLS_CERTIFICATE: files.certificate,
      TEMPORAL_TLS_KEY: files.key,
      HOLDFAST_TLS_CERTIFICATE: files.certificate,
      HOLDFAST_TLS_KEY: files.key,
      HOLDFAST_TASK_QUEUE_PREFIX: taskQueuePrefix,
      HOLDFAST_DATA: join(folder, 'data'),
    };
    await work({ env, authority: authority ?? '' });
  } finally {
    front.close();
    await database.drop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function serveTls(behind: string, identity: TlsOptions): Promise<Server> {
  const [host = '', port = ''] = behind.split(':');
  const options = { ...identity, requestCert: true, rejectUnauthorized: true, ALPNProtocols: ['h2'] };
  const server = createServer(options, (outer) => {
    const inner = connect(Number(port), host);
    outer.pipe(inner).pipe(outer);
    outer.on('error', () => inner.destroy());
    inner.on('error', () => outer.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

async function getJson(url: string, ca: string): Promise<unknown> {
  const outgoing = request(url, { ca, agent: false });
  outgoing.end();
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  return await json(response);
}

it.skipIf(!isInstalled('openssl'))(
  'serves HTTPS, and speaks to Temporal with TLS and a certificate of its own',
  async () => {
    await withTls(async ({ env, authority }) => {
      const api = await startProgram<{ readonly url: string }>({ script: 'dist/src/main/api.js', env });
      try {
        expect(api.ready.url).toMatch(/^https:/);
        expect(await getJson(`${api.ready.url}/readyz`, authority)).toMatchObject({ status: 'ok', temporal: 'ok' });
      } finally {
        await api.stop();
      }
      const worker = await startProgram({ script: 'dist/src/main/worker.js', env });
      expect(await worker.stop()).toEqual({ code: 0, signal: null });
    });
  },
);

it.skipIf(!isInstalled('openssl'))('does not speak to a Temporal whose certificate nobody vouches for', async () => {
  await withTls(async ({ env }) => {
    const { TEMPORAL_TLS_CA: _, ...unvouched } = env;
    const worker = startScript({ script: 'dist/src/main/worker.js', env: unvouched });
    expect((await worker.ended).code).toBe(1);
    expect(worker.output()).toContain('Temporal does not answer');
  });
});
