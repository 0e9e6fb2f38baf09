import { join, resolve } from 'node:path';
import { AppError } from '../../kernel/errors.ts';
import { cacheFolder } from '../embedded/cache-folder.ts';
import type { AddressRange } from './readers.ts';
import { readVariables, type Environment, type Values } from './read-variables.ts';
import { halfPairs, toServerTls, toTemporalTls, type ServerTls, type TemporalTls } from './tls.ts';
import type { LOG_LEVELS } from './variables.ts';

/** A process role: what `src/main` has one file for. */
export type Role = 'api' | 'worker' | 'relay' | 'mover' | 'migrate' | 'rebuild-catalog' | 'standalone';

/** Durations are milliseconds, folders absolute paths. */
export interface Config {
  readonly role: Role;
  readonly dataFolder: string;
  readonly keysFolder: string;
  /** Where programs that were obtained are kept. */
  readonly cacheFolder: string;
  /** Where programs are looked for. */
  readonly programPath: string;
  readonly database: {
    readonly url: string | undefined;
    readonly adminUrl: string | undefined;
    readonly poolSize: number;
  };
  readonly temporal: {
    readonly address: string | undefined;
    readonly namespace: string;
    readonly taskQueuePrefix: string;
    /** Undefined: without TLS. */
    readonly tls: TemporalTls | undefined;
  };
  readonly api: {
    readonly host: string;
    readonly port: number;
    readonly publicUrl: string | undefined;
    readonly trustedProxies: readonly AddressRange[];
    /** Undefined: plain HTTP. */
    readonly tls: ServerTls | undefined;
  };
  /** Requests in one window. */
  readonly limits: {
    readonly perToken: number;
    readonly perTenant: number;
    readonly perAddress: number;
    readonly windowMs: number;
  };
  /** What the process takes work from. */
  readonly polled: { readonly control: boolean; readonly sites: 'all' | readonly string[] };
  readonly providerName: string;
  readonly logLevel: (typeof LOG_LEVELS)[number];
  readonly shutdownGraceMs: number;
  readonly jobs: {
    readonly retryAttempts: number;
    readonly retryDelayMs: number;
    readonly heartbeatMs: number;
    readonly reconcileEveryMs: number;
  };
  readonly relay: { readonly everyMs: number };
  readonly webhooks: {
    readonly allow: readonly AddressRange[];
    readonly timeoutMs: number;
    readonly retryMs: number;
    readonly retryForMs: number;
  };
  readonly usage: { readonly windowMs: number; readonly graceMs: number; readonly periodGraceMs: number };
}

/** A configuration in which the servers are known: given, or embedded ones that have been started. */
export interface ServiceConfig extends Config {
  readonly database: Config['database'] & { readonly url: string };
  readonly temporal: Config['temporal'] & { readonly address: string };
}

/** What a role cannot do without. */
const REQUIRED: Readonly<Record<Role, readonly (keyof Values)[]>> = {
  api: ['DATABASE_URL', 'TEMPORAL_ADDRESS'],
  worker: ['DATABASE_URL', 'TEMPORAL_ADDRESS'],
  relay: ['DATABASE_URL'],
  mover: ['DATABASE_URL', 'TEMPORAL_ADDRESS'],
  migrate: ['DATABASE_URL', 'DATABASE_ADMIN_URL'],
  'rebuild-catalog': ['DATABASE_URL'],
  standalone: [],
};

function mistakesTogether(values: Partial<Values>, role: Role): string[] {
  const mistakes: string[] = [];
  for (const name of REQUIRED[role]) {
    if (values[name] === undefined) {
      mistakes.push(`${name} is not set; the role ${role} needs it.`);
    }
  }
  if (role === 'standalone' && (values.DATABASE_URL === undefined) !== (values.DATABASE_ADMIN_URL === undefined)) {
    const missing = values.DATABASE_URL === undefined ? 'DATABASE_URL' : 'DATABASE_ADMIN_URL';
    mistakes.push(`${missing} is not set; set DATABASE_URL and DATABASE_ADMIN_URL both, or neither.`);
  }
  return mistakes;
}

/** Reads the environment. Throws CONFIG_INVALID that names every mistake at once, and what would be right. */
export function loadConfig(env: Environment, role: Role): Config {
  const { values, mistakes } = readVariables(env);
  const all = [...mistakes, ...mistakesTogether(values, role), ...halfPairs(env)];
  if (all.length > 0) {
    throw new AppError('CONFIG_INVALID', ['The configuration is not right:', ...all].join('\n  - '), {
      data: { mistakes: all },
    });
  }
  return toConfig(values as Values, env, role);
}

function toConfig(values: Values, env: Environment, role: Role): Config {
  const dataFolder = resolve(values.HOLDFAST_DATA);
  return {
    role,
    dataFolder,
    keysFolder: resolve(values.HOLDFAST_KEYS ?? join(dataFolder, 'keys')),
    cacheFolder: cacheFolder({ XDG_CACHE_HOME: env['XDG_CACHE_HOME'], HOME: env['HOME'] }),
    programPath: env['PATH'] ?? '',
    database: {
      url: values.DATABASE_URL,
      adminUrl: values.DATABASE_ADMIN_URL,
      poolSize: values.HOLDFAST_DATABASE_POOL,
    },
    temporal: {
      address: values.TEMPORAL_ADDRESS,
      namespace: values.TEMPORAL_NAMESPACE,
      tls: toTemporalTls(values),
      taskQueuePrefix: values.HOLDFAST_TASK_QUEUE_PREFIX,
    },
    api: {
      host: values.HOLDFAST_HOST,
      port: values.HOLDFAST_API_PORT,
      publicUrl: values.HOLDFAST_PUBLIC_URL,
      tls: toServerTls(values),
      trustedProxies: values.HOLDFAST_TRUSTED_PROXIES,
    },
    limits: {
      perToken: values.HOLDFAST_RATE_TOKEN,
      perTenant: values.HOLDFAST_RATE_TENANT,
      perAddress: values.HOLDFAST_RATE_ADDRESS,
      windowMs: values.HOLDFAST_RATE_WINDOW,
    },
    polled: toPolled(values, role),
    providerName: values.HOLDFAST_PROVIDER_NAME,
    logLevel: values.HOLDFAST_LOG_LEVEL,
    shutdownGraceMs: values.HOLDFAST_SHUTDOWN_GRACE,
    jobs: {
      retryAttempts: values.HOLDFAST_RETRY_ATTEMPTS,
      retryDelayMs: values.HOLDFAST_RETRY_DELAY,
      heartbeatMs: values.HOLDFAST_HEARTBEAT,
      reconcileEveryMs: values.HOLDFAST_RECONCILE_EVERY,
    },
    relay: { everyMs: values.HOLDFAST_RELAY_EVERY },
    webhooks: {
      allow: values.HOLDFAST_WEBHOOK_ALLOW,
      timeoutMs: values.HOLDFAST_WEBHOOK_TIMEOUT,
      retryMs: values.HOLDFAST_WEBHOOK_RETRY,
      retryForMs: values.HOLDFAST_WEBHOOK_RETRY_FOR,
    },
    usage: {
      windowMs: values.HOLDFAST_USAGE_WINDOW,
      graceMs: values.HOLDFAST_USAGE_GRACE,
      periodGraceMs: values.HOLDFAST_USAGE_PERIOD_GRACE,
    },
  };
}

/** Only a worker may be narrowed down: a mover has no control queue, and a process that is everything does everything. */
function toPolled({ HOLDFAST_WORKER_QUEUES: queues, HOLDFAST_SITES: sites }: Values, role: Role): Config['polled'] {
  const ofSites = sites ?? 'all';
  return role === 'worker'
    ? { control: queues.includes('control'), sites: queues.includes('sites') ? ofSites : [] }
    : { control: role !== 'mover', sites: role === 'mover' ? ofSites : 'all' };
}

export interface DatabaseUrls {
  readonly databaseUrl: string;
  readonly adminUrl: string;
}

/** What `migrate` connects with, or undefined where the database is migrated by somebody else. */
export function migrationUrls({ database }: Config): DatabaseUrls | undefined {
  const { url, adminUrl } = database;
  return url === undefined || adminUrl === undefined ? undefined : { databaseUrl: url, adminUrl };
}

export interface KnownServers {
  readonly databaseUrl: string | undefined;
  readonly databaseAdminUrl: string | undefined;
  readonly temporalAddress: string | undefined;
}

/** The configuration with the servers that are used in fact. Throws CONFIG_INVALID if one is still unknown. */
export function withServers(config: Config, servers: Partial<KnownServers> = {}): ServiceConfig {
  const url = servers.databaseUrl ?? config.database.url;
  const address = servers.temporalAddress ?? config.temporal.address;
  if (url === undefined || address === undefined) {
    throw new AppError('CONFIG_INVALID', 'DATABASE_URL and TEMPORAL_ADDRESS are needed.');
  }
  const adminUrl = servers.databaseAdminUrl ?? config.database.adminUrl;
  return { ...config, database: { ...config.database, url, adminUrl }, temporal: { ...config.temporal, address } };
}
