import type { Environment, Values } from './read-variables.ts';

/** What the API serves HTTPS with; PEM texts. */
export interface ServerTls {
  readonly certificate: string;
  readonly key: string;
}

/** How Temporal is spoken to; PEM texts. Undefined parts are the system's own. */
export interface TemporalTls {
  readonly authority: string | undefined;
  readonly client: ServerTls | undefined;
}

const PAIRS = [
  ['HOLDFAST_TLS_CERTIFICATE', 'HOLDFAST_TLS_KEY'],
  ['TEMPORAL_TLS_CERTIFICATE', 'TEMPORAL_TLS_KEY'],
] as const;

/** A certificate without its key, or a key without its certificate, is a mistake. */
export function halfPairs(env: Environment): string[] {
  const isSet = (name: string): boolean => (env[name] ?? '') !== '';
  return PAIRS.filter(([certificate, key]) => isSet(certificate) !== isSet(key)).map(([certificate, key]) => {
    const missing = isSet(certificate) ? key : certificate;
    return `${missing} is not set; set ${certificate} and ${key} both, or neither.`;
  });
}

export function toServerTls(values: Values): ServerTls | undefined {
  return pair(values.HOLDFAST_TLS_CERTIFICATE, values.HOLDFAST_TLS_KEY);
}

export function toTemporalTls(values: Values): TemporalTls | undefined {
  if (values.TEMPORAL_TLS === 'off') {
    return undefined;
  }
  return {
    authority: values.TEMPORAL_TLS_CA,
    client: pair(values.TEMPORAL_TLS_CERTIFICATE, values.TEMPORAL_TLS_KEY),
  };
}

function pair(certificate: string | undefined, key: string | undefined): ServerTls | undefined {
  return certificate === undefined || key === undefined ? undefined : { certificate, key };
}
