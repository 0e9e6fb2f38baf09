/** What a key file is called, below the folder of the key ring; see docs/vault-format.md. */

/** A wrapped key as a file: which key it is, and the version of the key that it is wrapped with. */
export interface WrappedName {
  readonly name: string;
  /** The name without the version that it is wrapped with. */
  readonly base: string;
  readonly version: number;
}

/** The key-encryption key of version 0 has no number: it came before there were versions. */
export function kekName(tenantId: string, version: number): string {
  return version === 0 ? kekBase(tenantId) : `${kekBase(tenantId)}.${version}`;
}

export function kekBase(tenantId: string): string {
  return `${tenantId}/kek`;
}

export function masterBase(tenantId: string, master: number): string {
  return `${masterPrefix(tenantId)}${master}`;
}

export function masterPrefix(tenantId: string): string {
  return `${tenantId}/master.`;
}

export function dedupBase(tenantId: string): string {
  return `${tenantId}/dedup`;
}

export function repositoriesPrefix(tenantId: string): string {
  return `${tenantId}/repositories/`;
}

export function repositoryBase(tenantId: string, repositoryId: string, generation: number): string {
  return `${repositoriesPrefix(tenantId)}${repositoryId}.${generation}`;
}

/** `base` wrapped with version `version` of what is above it; master keys leave version 0 out. */
export function wrappedName(base: string, version: number): string {
  return isMaster(base) && version === 0 ? base : `${base}.${version}`;
}

/** Null for what is no wrapped key. */
export function parseWrapped(name: string): WrappedName | null {
  const master = /^(.*\/master\.\d+)(?:\.(\d+))?$/.exec(name);
  const other = master ?? /^(.*)\.(\d+)$/.exec(name);
  return other?.[1] === undefined ? null : { name, base: other[1], version: Number(other[2] ?? 0) };
}

/** Of `<tenant>/master.<n>`. */
export function masterNumber(base: string): number {
  return Number(base.slice(base.lastIndexOf('.') + 1));
}

/** Null for what is no key-encryption key. */
export function kekVersion(name: string): number | null {
  const found = /\/kek(?:\.(\d+))?$/.exec(name);
  return found === null ? null : Number(found[1] ?? 0);
}

export function destroyedName(tenantId: string): string {
  return `${tenantId}/destroyed`;
}

export function statementName(tenantId: string): string {
  return `${tenantId}/destroyed.statement`;
}

function isMaster(base: string): boolean {
  return /\/master\.\d+$/.test(base);
}
