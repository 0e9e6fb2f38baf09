import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { runRelay } from '../control/events/relay.ts';
import { runSweeper } from '../control/events/sweeper.ts';
import { createAddressPolicy } from '../control/webhooks/address-policy.ts';
import { WebhookSender } from '../control/webhooks/webhook-sender.ts';
import { systemClock } from '../kernel/clock.ts';
import { loadConfig, type Config } from '../platform/config/config.ts';
import type { AddressRange } from '../platform/config/readers.ts';
import { openRoleDatabase } from '../platform/feed/role-database.ts';
import { runRole } from '../platform/process/run-role.ts';
import { loadOrCreateKeyFile } from '../platform/secrets/key-file.ts';
import { SecretBox } from '../platform/secrets/sealer.ts';
import { openProcessLog } from '../platform/telemetry/process-log.ts';

const log = new Logger('Relay');

export interface RelayOptions {
  readonly databaseUrl: string;
  readonly keyFile: string;
  readonly poolSize: number;
  readonly everyMs: number;
  readonly webhooks: {
    readonly allow: readonly AddressRange[];
    readonly timeoutMs: number;
    readonly retryMs: number;
    readonly retryForMs: number;
  };
}

export interface RunningRelay {
  close(): Promise<void>;
}

/** Numbers events, wakes the feed, sends webhooks and removes what is kept no longer. Any number may run: one numbers at a time, all send. */
export async function startRelay(options: RelayOptions): Promise<RunningRelay> {
  const { webhooks } = options;
  const box = new SecretBox(await loadOrCreateKeyFile(options.keyFile));
  const database = openRoleDatabase({
    url: options.databaseUrl,
    role: 'holdfast_relay',
    poolSize: options.poolSize,
  });
  const onError = (error: unknown): void => {
    log.warn({ message: 'A round failed; it is tried again.', err: error });
  };
  const sender = new WebhookSender(database, {
    policy: createAddressPolicy(webhooks.allow),
    schedule: { firstMs: webhooks.retryMs, forMs: webhooks.retryForMs },
    timeoutMs: webhooks.timeoutMs,
    openSecret: ({ sealed, ...place }) => box.open(sealed, { ...place, purpose: 'WEBHOOK_SECRET' }),
    onError,
  });
  const stop = new AbortController();
  const onNumbered = (): void => sender.wake();
  const running = Promise.all([
    runRelay(database, { everyMs: options.everyMs, onNumbered, onError }, stop.signal),
    sender.run(stop.signal),
    runSweeper(database, { clock: systemClock, onError }, stop.signal),
  ]);
  return {
    close: async () => {
      stop.abort();
      await running;
      await database.end();
    },
  };
}

export function relayOptions(config: Config, databaseUrl: string): RelayOptions {
  const { keysFolder, database, relay, webhooks } = config;
  const keyFile = join(keysFolder, 'control.key');
  return { databaseUrl, keyFile, poolSize: database.poolSize, everyMs: relay.everyMs, webhooks };
}

if (import.meta.main) {
  await runRole({
    name: 'relay',
    about: 'numbers events, wakes live clients and sends webhooks',
    start: async () => {
      const config = loadConfig(process.env, 'relay');
      openProcessLog(config);
      const relay = await startRelay(relayOptions(config, config.database.url ?? ''));
      return { ready: {}, graceMs: config.shutdownGraceMs, stop: async () => await relay.close() };
    },
  });
}
