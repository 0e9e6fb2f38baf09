import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Certificate, createSelfSigned } from './self-signed.ts';

/** The host's certificate from the folder, or a new one, written there for the next start. */
export function loadOrCreate(folder: string, dnsName: string, address: string): Certificate {
  const path = join(folder, `${dnsName}.json`);
  if (existsSync(path)) {
    return JSON.parse(readFileSync(path, 'utf8')) as Certificate;
  }
  return replace(folder, dnsName, address);
}

export function replace(folder: string, dnsName: string, address: string): Certificate {
  const certificate = createSelfSigned(dnsName, address);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${dnsName}.json`), JSON.stringify(certificate), { mode: 0o600 });
  return certificate;
}
