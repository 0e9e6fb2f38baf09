import {
  addressRanges,
  count,
  duration,
  hostAndPort,
  ipAddress,
  oneOf,
  path,
  pemFile,
  port,
  postgresUrl,
  siteIds,
  someOf,
  text,
  webUrl,
  type Reader,
} from './readers.ts';

export interface Variable<T> {
  readonly reader: Reader<T>;
  /** The text that stands for a variable that isn't set; undefined: nothing does. */
  readonly fallback: string | undefined;
  /** What it is for, as the documentation says it. */
  readonly about: string;
}

function variable<T>(reader: Reader<T>, fallback: string, about: string): Variable<T> & { readonly fallback: string } {
  return { reader, fallback, about };
}

function optional<T>(reader: Reader<T>, about: string): Variable<T> & { readonly fallback: undefined } {
  return { reader, fallback: undefined, about };
}

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;

/** Every environment variable that Holdfast reads. `docs/configuration.md` has a line for each. */
export const VARIABLES = {
  HOLDFAST_DATA: variable(path, './data', 'Folder of the embedded servers, keys and secrets; survives restarts.'),
  HOLDFAST_KEYS: optional(path, 'Folder of the tenants’ key files; `keys` in the data folder unless given.'),
  DATABASE_URL: optional(
    postgresUrl,
    'PostgreSQL 18 or newer, as api, worker and relay connect to it. `npm start` runs its own unless given.',
  ),
  DATABASE_ADMIN_URL: optional(
    postgresUrl,
    'The same database for `migrate`, which creates roles and tables. Goes together with DATABASE_URL.',
  ),
  HOLDFAST_DATABASE_POOL: variable(count(2, 200), '10', 'Most connections to PostgreSQL that one process opens.'),
  TEMPORAL_ADDRESS: optional(hostAndPort, 'A Temporal server’s gRPC address. `npm start` runs its own unless given.'),
  TEMPORAL_TLS: variable(oneOf('off', 'on'), 'off', 'Whether Temporal is spoken to with TLS.'),
  TEMPORAL_TLS_CA: optional(pemFile, 'Authority that signed Temporal’s certificate; the system’s ones unless given.'),
  TEMPORAL_TLS_CERTIFICATE: optional(pemFile, 'Certificate that Holdfast shows Temporal, where it wants one.'),
  TEMPORAL_TLS_KEY: optional(pemFile, 'Key of TEMPORAL_TLS_CERTIFICATE.'),
  TEMPORAL_NAMESPACE: variable(text, 'holdfast', 'Temporal namespace.'),
  HOLDFAST_TASK_QUEUE_PREFIX: variable(
    text,
    'holdfast/',
    'Put before the name of every task queue, so that several installations can share one Temporal.',
  ),
  HOLDFAST_HOST: variable(ipAddress, '127.0.0.1', 'Address that the API listens on.'),
  HOLDFAST_API_PORT: variable(port, '0', 'Port that the API listens on; 0 takes a free one.'),
  HOLDFAST_TLS_CERTIFICATE: optional(
    pemFile,
    'Certificate, with its chain, that the API serves HTTPS with; plain HTTP unless given.',
  ),
  HOLDFAST_TLS_KEY: optional(pemFile, 'Key of HOLDFAST_TLS_CERTIFICATE.'),
  HOLDFAST_PUBLIC_URL: optional(webUrl, 'Address under which clients reach the API; the listening one unless given.'),
  HOLDFAST_PROVIDER_NAME: variable(text, 'Provider', 'Name of the provider that the first start creates.'),
  HOLDFAST_LOG_LEVEL: variable(oneOf(...LOG_LEVELS), 'info', 'How much is logged.'),
  HOLDFAST_SHUTDOWN_GRACE: variable(duration, '30s', 'How long work in progress gets to end after SIGTERM or Ctrl-C.'),
  HOLDFAST_TRUSTED_PROXIES: variable(
    addressRanges,
    '',
    'Reverse proxies whose `X-Forwarded-For` is believed; without it a client’s address is who connects.',
  ),
  HOLDFAST_RATE_WINDOW: variable(duration, '1m', 'What the three rate limits count in.'),
  HOLDFAST_RATE_TOKEN: variable(
    count(1, 1_000_000),
    '1200',
    'Requests of one API token in a window, to one api process.',
  ),
  HOLDFAST_RATE_TENANT: variable(count(1, 1_000_000), '6000', 'Requests of all tokens of one tenant together.'),
  HOLDFAST_RATE_ADDRESS: variable(
    count(1, 1_000_000),
    '300',
    'Requests without a valid credential from one IPv4 address, or one IPv6 /64.',
  ),
  HOLDFAST_WORKER_QUEUES: variable(
    someOf('control', 'sites'),
    'control,sites',
    'What `worker` polls: the control queue, the queues of all sites, or both. `mover` polls the sites’ only.',
  ),
  HOLDFAST_SITES: optional(
    siteIds,
    'Sites whose work this `mover` or `worker` takes, by their ids in the API; every site’s unless given.',
  ),
  HOLDFAST_RETRY_ATTEMPTS: variable(count(1, 1000), '10', 'How often a job’s step tries what is unavailable, in all.'),
  HOLDFAST_RETRY_DELAY: variable(duration, '1s', 'Wait before the second try; it doubles from there, up to a minute.'),
  HOLDFAST_HEARTBEAT: variable(
    duration,
    '30s',
    'A disk activity that is silent for longer is started again elsewhere.',
  ),
  HOLDFAST_RECONCILE_EVERY: variable(duration, '30s', 'How often job rows are compared with their workflows.'),
  HOLDFAST_RELAY_EVERY: variable(duration, '200ms', 'How often the relay looks for new events and progress.'),
  HOLDFAST_WEBHOOK_ALLOW: variable(
    addressRanges,
    '',
    'Private address ranges that webhooks may be sent to all the same; none unless given.',
  ),
  HOLDFAST_WEBHOOK_TIMEOUT: variable(duration, '20s', 'How long a webhook receiver may take to answer.'),
  HOLDFAST_WEBHOOK_RETRY: variable(
    duration,
    '5s',
    'Wait before a webhook’s first retry; it doubles from there, up to 12 hours.',
  ),
  HOLDFAST_WEBHOOK_RETRY_FOR: variable(duration, '3d', 'How long a webhook is retried before it is given up.'),
  HOLDFAST_USAGE_WINDOW: variable(duration, '1h', 'Length of a usage window in the ledger.'),
  HOLDFAST_USAGE_GRACE: variable(duration, '5m', 'How long a window stays open after its end for late records.'),
  HOLDFAST_USAGE_PERIOD_GRACE: variable(
    duration,
    '3d',
    'How long after its end a month of the ledger stays open for corrections.',
  ),
} as const satisfies Record<string, Variable<unknown>>;

export type VariableName = keyof typeof VARIABLES;
