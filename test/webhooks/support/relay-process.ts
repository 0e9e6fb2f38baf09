import { createInterface } from 'node:readline';
import { runRelay } from '../../../src/control/events/relay.ts';
import { createAddressPolicy } from '../../../src/control/webhooks/address-policy.ts';
import { WebhookSender } from '../../../src/control/webhooks/webhook-sender.ts';
import { openRoleDatabase } from '../../../src/platform/feed/role-database.ts';
import { SecretBox } from '../../../src/platform/secrets/sealer.ts';

/** What the parent writes to standard input, as one line of JSON. */
export interface RelayProcessSettings {
  readonly databaseUrl: string;
  readonly secretKey: string;
  readonly timeoutMs: number;
}

// A relay as a process of its own, so that a test can kill it. Ends with its parent: standard input closes then.
const lines = createInterface({ input: process.stdin });
lines.once('close', () => process.exit(0));
lines.once('line', (line) => {
  const settings = JSON.parse(line) as RelayProcessSettings;
  const database = openRoleDatabase({ url: settings.databaseUrl, role: 'holdfast_relay', poolSize: 4 });
  const box = new SecretBox(Buffer.from(settings.secretKey, 'hex'));
  const sender = new WebhookSender(database, {
    policy: createAddressPolicy([{ address: '127.0.0.0', prefix: 8, family: 'ipv4' }]),
    schedule: { firstMs: 100, forMs: 60_000 },
    timeoutMs: settings.timeoutMs,
    leaseMarginMs: 200,
    everyMs: 50,
    openSecret: ({ sealed, ...place }) => box.open(sealed, { ...place, purpose: 'WEBHOOK_SECRET' }),
  });
  const signal = new AbortController().signal;
  const relay = runRelay(
    database,
    {
      everyMs: 200,
      standbyMs: 100,
      onNumbered: () => {
        sender.wake();
      },
    },
    signal,
  );
  void Promise.all([relay, sender.run(signal)]);
});
