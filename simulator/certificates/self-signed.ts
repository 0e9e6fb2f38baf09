import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { isIPv4 } from 'node:net';
import { bits, explicit, integer, objectId, octets, sequence, setOf, tagged, time, utf8, yes } from './der.ts';

export interface Certificate {
  /** PEM. */
  readonly certificate: string;
  /** PKCS #8, PEM. */
  readonly key: string;
}

const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';
const COMMON_NAME = '2.5.4.3';
const SUBJECT_ALT_NAME = '2.5.29.17';
const BASIC_CONSTRAINTS = '2.5.29.19';
const TEN_YEARS_MS = 10 * 365 * 86_400_000;

/** A self-signed X.509 certificate on a new P-256 key, for one DNS name and one IPv4 address, as hosts make theirs. */
export function createSelfSigned(dnsName: string, address: string): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = sequence(objectId(ECDSA_WITH_SHA256));
  const name = sequence(setOf(sequence(objectId(COMMON_NAME), utf8(dnsName))));
  const now = Date.now();
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  const body = sequence(
    explicit(0, integer(Buffer.from([2]))),
    integer(serial),
    algorithm,
    name,
    sequence(time(now - 86_400_000), time(now + TEN_YEARS_MS)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    explicit(3, sequence(alternativeNames(dnsName, address), authority())),
  );
  const signature = sign('sha256', body, privateKey);
  return {
    certificate: toPem(sequence(body, algorithm, bits(signature))),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function alternativeNames(dnsName: string, address: string): Buffer {
  const names = [tagged(0x82, Buffer.from(dnsName, 'ascii'))];
  if (isIPv4(address)) {
    names.push(tagged(0x87, Buffer.from(address.split('.').map(Number))));
  }
  return sequence(objectId(SUBJECT_ALT_NAME), octets(sequence(...names)));
}

/** Lets a client that trusts exactly this certificate take it as the authority that issued it. */
function authority(): Buffer {
  return sequence(objectId(BASIC_CONSTRAINTS), yes(), octets(sequence(yes())));
}

function toPem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}
