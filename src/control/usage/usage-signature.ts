import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { toGlobalId } from '../../kernel/global-id.ts';
import type { UsageRecordRow } from './usage-record.entity.ts';

export type UnsignedRecord = Omit<UsageRecordRow, 'keyId' | 'signature' | 'recordedAt'>;

/**
 * The text that is signed: one line per field, in this order, each ended by a line feed. It is made of what clients
 * see, so that whoever has an entry and the public key can check it.
 */
export function canonicalText(record: UnsignedRecord): string {
  const lines = [
    'holdfast-usage-1',
    toGlobalId('UsageRecord', record.tenantId, record.id),
    toGlobalId('Tenant', record.tenantId, record.tenantId),
    record.meter,
    record.unit,
    record.windowStart.toISOString(),
    record.windowEnd.toISOString(),
    String(record.revision),
    record.quantity,
    record.total,
    record.reason,
    String(record.billable),
    record.billableReason,
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/** Signs ledger entries with Ed25519. */
export class UsageSigner {
  readonly keyId: string;
  /** SPKI, PEM. */
  readonly publicKey: string;
  readonly #key: KeyObject;

  /** `privateKey` is PKCS #8, PEM. */
  constructor(privateKey: string) {
    this.#key = createPrivateKey(privateKey);
    const key = createPublicKey(this.#key);
    this.publicKey = key.export({ type: 'spki', format: 'pem' }).toString();
    const digest = createHash('sha256').update(key.export({ type: 'spki', format: 'der' }));
    this.keyId = `usk_${digest.digest('hex').slice(0, 32)}`;
  }

  sign(record: UnsignedRecord): Buffer {
    return sign(null, Buffer.from(canonicalText(record)), this.#key);
  }
}

export function newSigningKey(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}
