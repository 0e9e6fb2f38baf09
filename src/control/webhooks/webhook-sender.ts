import { randomInt } from 'node:crypto';
import { systemClock, type Clock } from '../../kernel/clock.ts';
import { toGlobalId } from '../../kernel/global-id.ts';
import type { RoleDatabase } from '../../platform/feed/sql.ts';
import { Wake } from '../../platform/feed/wake.ts';
import type { AddressPolicy } from './address-policy.ts';
import {
  claimDeliveries,
  findTarget,
  type ClaimedDelivery,
  type DeliveryTarget,
  type SealedSecret,
} from './delivery-queue.ts';
import { postWebhook, type WebhookAnswer } from './post-webhook.ts';
import type { Resolve } from './resolve-target.ts';
import { nextPause, type RetrySchedule } from './retry-schedule.ts';
import { dropDelivery, settleDelivery } from './settle-delivery.ts';
import { signWebhook } from './webhook-signature.ts';

export interface WebhookSenderOptions {
  readonly policy: AddressPolicy;
  readonly schedule: RetrySchedule;
  readonly timeoutMs: number;
  /** Opens a sealed signing secret. */
  readonly openSecret: (sealed: SealedSecret) => string;
  /** How long an endpoint fails before `webhook_endpoint.failing` is written. */
  readonly alarmAfterMs?: number;
  /** How often to look for deliveries that have become due. */
  readonly everyMs?: number;
  /** Attempts at a time, and about how many of them to one endpoint. */
  readonly slots?: number;
  readonly slotsPerEndpoint?: number;
  readonly clock?: Clock;
  readonly resolve?: Resolve;
  readonly extraAuthority?: string;
  readonly onError?: (error: unknown) => void;
}

/** After so many time-outs an attempt counts as lost: whoever made it has died. */
const LEASE_IN_TIMEOUTS = 2;

/** Makes the attempts that are due. Any number of processes may run one: a delivery is leased to one of them. */
export class WebhookSender {
  readonly #database: RoleDatabase;
  readonly #options: WebhookSenderOptions;
  readonly #inFlight = new Map<Promise<void>, string>();
  readonly #wake = new Wake();

  constructor(database: RoleDatabase, options: WebhookSenderOptions) {
    this.#database = database;
    this.#options = options;
  }

  /** Deliveries may have been added. */
  wake(): void {
    this.#wake.ring();
  }

  /** Runs until the signal is aborted; attempts under way are brought to their end. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const started = await this.#startDue().catch((error: unknown) => {
        this.#options.onError?.(error);
        return 0;
      });
      if (started === 0) {
        await this.#wake.wait(this.#options.everyMs ?? 500, signal);
      }
    }
    await Promise.all(this.#inFlight.keys());
  }

  async #startDue(): Promise<number> {
    const perEndpoint = this.#options.slotsPerEndpoint ?? 4;
    const free = (this.#options.slots ?? 32) - this.#inFlight.size;
    if (free <= 0) {
      await Promise.race(this.#inFlight.keys());
      return 1;
    }
    const claimed = await claimDeliveries(this.#database, {
      most: Math.min(free, perEndpoint),
      leaseMs: this.#options.timeoutMs * LEASE_IN_TIMEOUTS,
      busyEndpointIds: this.#busyEndpoints(perEndpoint),
    });
    for (const delivery of claimed) {
      this.#track(delivery);
    }
    return claimed.length;
  }

  #track(delivery: ClaimedDelivery): void {
    const attempt = this.#attempt(delivery)
      .catch((error: unknown) => {
        // The lease runs out, and the attempt is made again with the same id.
        this.#options.onError?.(error);
      })
      .finally(() => {
        this.#inFlight.delete(attempt);
        this.#wake.ring();
      });
    this.#inFlight.set(attempt, delivery.endpointId);
  }

  #busyEndpoints(perEndpoint: number): string[] {
    const counts = new Map<string, number>();
    for (const endpointId of this.#inFlight.values()) {
      counts.set(endpointId, (counts.get(endpointId) ?? 0) + 1);
    }
    return [...counts].filter(([, count]) => count >= perEndpoint).map(([endpointId]) => endpointId);
  }

  async #attempt(delivery: ClaimedDelivery): Promise<void> {
    const target = await findTarget(this.#database, delivery);
    if (target === null) {
      return;
    }
    if (target.state !== 'ENABLED') {
      await dropDelivery(this.#database, delivery, 'The endpoint is not enabled.');
      return;
    }
    const answer = await this.#post(delivery, target);
    await settleDelivery(this.#database, delivery, answer, {
      pauseMs: nextPause(this.#options.schedule, { ...delivery, retryAfterMs: answer.retryAfterMs }, randomFraction()),
      alarmAfterMs: this.#options.alarmAfterMs ?? 15 * 60_000,
    });
  }

  async #post(delivery: ClaimedDelivery, target: DeliveryTarget): Promise<WebhookAnswer> {
    const { body } = delivery;
    const clock = this.#options.clock ?? systemClock;
    const id = toGlobalId('Event', delivery.eventTenantId, delivery.eventId);
    const secrets = target.secrets.map((sealed) => this.#options.openSecret(sealed));
    const headers = signWebhook({ id, timestamp: Math.floor(clock.now() / 1000), body }, secrets);
    return postWebhook({ url: target.url, headers, body }, this.#options);
  }
}

const FRACTIONS = 2 ** 32;

function randomFraction(): number {
  return randomInt(FRACTIONS) / FRACTIONS;
}
