import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { AppError } from '../../kernel/errors.ts';
import { toGlobalId } from '../../kernel/global-id.ts';
import { configurationTable } from './configuration-doc.ts';
import { loadConfig, withServers, type Role } from './config.ts';

function mistakesOf(env: Record<string, string>, role: Role = 'standalone'): unknown {
  try {
    loadConfig(env, role);
  } catch (error) {
    return error instanceof AppError && error.code === 'CONFIG_INVALID' ? error.data['mistakes'] : error;
  }
  return [];
}

it('needs nothing to be set for npm start', () => {
  const config = loadConfig({ HOME: '/home/ada' }, 'standalone');
  expect(config.api).toEqual({ host: '127.0.0.1', port: 0, publicUrl: undefined, trustedProxies: [] });
  expect(config.cacheFolder).toBe('/home/ada/.cache/holdfast');
  expect(config.keysFolder).toBe(`${config.dataFolder}/keys`);
  expect(config.webhooks.allow).toEqual([]);
});

it('lists every mistake at once, with the variable’s name and what would be right', () => {
  const mistakes = mistakesOf({
    DATABASE_URL: 'mysql://secret@host/db',
    HOLDFAST_API_PORT: '70000',
    HOLDFAST_HEARTBEAT: 'half an hour',
    HOLDFAST_WEBHOOK_ALLOW: '127.0.0.0/8, 10.0.0.0/64',
    HOLDFAST_API_PROT: '8080',
  });
  expect(mistakes).toEqual([
    'DATABASE_URL is not a URL like postgres://user:password@host:5432/holdfast.',
    'HOLDFAST_API_PORT is not a port number from 1 to 65535, or 0 for a free one.',
    'HOLDFAST_HEARTBEAT is not a duration above zero with its unit, like 500ms, 30s, 5m, 1h or 3d.',
    'HOLDFAST_WEBHOOK_ALLOW is not address ranges with commas between them, like 127.0.0.0/8,::1/128.',
    'HOLDFAST_API_PROT is not a variable of Holdfast; the nearest one is HOLDFAST_API_PORT.',
  ]);
  expect(JSON.stringify(mistakes)).not.toContain('secret');
});

it('knows which variables go together', () => {
  expect(mistakesOf({ DATABASE_URL: 'postgres://a@b/c' })).toEqual([
    'DATABASE_ADMIN_URL is not set; set DATABASE_URL and DATABASE_ADMIN_URL both, or neither.',
  ]);
});

it('wants a certificate together with its key, and files that can be read', () => {
  expect(mistakesOf({ HOLDFAST_TLS_KEY: '/nowhere/key.pem' })).toEqual([
    'HOLDFAST_TLS_KEY is not the path of a readable PEM file.',
    'HOLDFAST_TLS_CERTIFICATE is not set; set HOLDFAST_TLS_CERTIFICATE and HOLDFAST_TLS_KEY both, or neither.',
  ]);
});

it('says what a role cannot do without', () => {
  expect(mistakesOf({}, 'worker')).toEqual([
    'DATABASE_URL is not set; the role worker needs it.',
    'TEMPORAL_ADDRESS is not set; the role worker needs it.',
  ]);
});

it('reads which queues a worker polls', () => {
  const servers = { DATABASE_URL: 'postgres://a@b/c', TEMPORAL_ADDRESS: 'b:7233' };
  const site = { tenantId: '018f0000-0000-7000-8000-000000000001', id: '018f0000-0000-7000-8000-000000000002' };
  const sites = toGlobalId('Site', site.tenantId, site.id);
  const polled = (env: Record<string, string>, role: Role): unknown => loadConfig({ ...servers, ...env }, role).polled;
  expect(polled({}, 'worker')).toEqual({ control: true, sites: 'all' });
  expect(polled({ HOLDFAST_WORKER_QUEUES: 'control' }, 'worker')).toEqual({ control: true, sites: [] });
  expect(polled({ HOLDFAST_SITES: sites }, 'worker')).toEqual({ control: true, sites: [site.id] });
  expect(polled({ HOLDFAST_WORKER_QUEUES: 'control' }, 'mover')).toEqual({ control: false, sites: 'all' });
  expect(polled({ HOLDFAST_SITES: sites }, 'mover')).toEqual({ control: false, sites: [site.id] });
  expect(mistakesOf({ HOLDFAST_WORKER_QUEUES: 'control,site', HOLDFAST_SITES: 'here' })).toEqual([
    'HOLDFAST_WORKER_QUEUES is not one or more of control, sites with commas between them.',
    'HOLDFAST_SITES is not ids of sites, site_…, with commas between them.',
  ]);
});

it('reads durations, ranges and addresses', () => {
  const config = loadConfig(
    {
      HOLDFAST_USAGE_WINDOW: '2s',
      HOLDFAST_WEBHOOK_ALLOW: '127.0.0.0/8,::1/128',
      HOLDFAST_PUBLIC_URL: 'https://b.example/',
    },
    'standalone',
  );
  expect(config.usage.windowMs).toBe(2_000);
  expect(config.webhooks.allow).toEqual([
    { address: '127.0.0.0', prefix: 8, family: 'ipv4' },
    { address: '::1', prefix: 128, family: 'ipv6' },
  ]);
  expect(config.api.publicUrl).toBe('https://b.example');
});

it('takes the embedded servers in where none are given', () => {
  const config = loadConfig({}, 'standalone');
  expect(() => withServers(config)).toThrow('DATABASE_URL and TEMPORAL_ADDRESS are needed.');
  const known = withServers(config, { databaseUrl: 'postgres://a@b/c', temporalAddress: '127.0.0.1:7233' });
  expect(known.temporal).toMatchObject({ address: '127.0.0.1:7233', namespace: 'holdfast' });
});

it('is documented variable by variable', () => {
  const page = readFileSync(new URL('../../../docs/configuration.md', import.meta.url), 'utf8');
  expect(page).toContain(configurationTable());
});
