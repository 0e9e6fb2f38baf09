import { createHmac, randomBytes } from 'node:crypto';

// Standard Webhooks 1.0: 24 to 64 random bytes, base64, behind this prefix.
const PREFIX = 'whsec_';
const SECRET_BYTES = 32;

export function newWebhookSecret(): string {
  return PREFIX + randomBytes(SECRET_BYTES).toString('base64');
}

export interface SignedContent {
  /** Stays the same over all attempts: receivers drop what they have seen. */
  readonly id: string;
  /** Seconds since the epoch, of this attempt. */
  readonly timestamp: number;
  readonly body: string;
}

/** The headers of one attempt; one signature per secret, so that a receiver may rotate at its own pace. */
export function signWebhook(content: SignedContent, secrets: readonly string[]): Record<string, string> {
  const signed = `${content.id}.${content.timestamp}.${content.body}`;
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice(PREFIX.length), 'base64');
    return `v1,${createHmac('sha256', key).update(signed).digest('base64')}`;
  });
  return {
    'webhook-id': content.id,
    'webhook-timestamp': String(content.timestamp),
    'webhook-signature': signatures.join(' '),
  };
}
