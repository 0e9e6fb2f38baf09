import { Inject, Injectable } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import type { ErrorCode } from '../../kernel/errors.ts';
import { DATA_SOURCE } from '../database/data-source.ts';
import { TEMPORAL, type TemporalAccess } from '../temporal/temporal-client.module.ts';

/** `ok`, or the code of what is wrong; details are for the log. */
type PartHealth = 'ok' | ErrorCode;

export interface Health {
  readonly status: 'ok' | 'unavailable';
  readonly database: PartHealth;
  readonly temporal: PartHealth;
}

const ANSWERS_WITHIN_MS = 3_000;
/** Anybody may ask, so an answer is used for this long: the asking must not be what breaks it. */
const GOOD_FOR_MS = 1_000;

/** Whether the servers that this process stands on answer. */
@Injectable()
export class HealthService {
  #latest: { readonly at: number; readonly health: Promise<Health> } | undefined;

  constructor(
    @Inject(DATA_SOURCE) private readonly dataSource: DataSource,
    @Inject(TEMPORAL) private readonly temporal: TemporalAccess,
  ) {}

  async current(): Promise<Health> {
    const now = performance.now();
    if (this.#latest === undefined || now - this.#latest.at > GOOD_FOR_MS) {
      this.#latest = { at: now, health: this.#ask() };
    }
    return await this.#latest.health;
  }

  async #ask(): Promise<Health> {
    const { connection } = this.temporal.client;
    const [database, temporal] = await Promise.all([
      answers(this.dataSource.query('select 1'), 'DATABASE_UNAVAILABLE'),
      answers(
        connection.withDeadline(Date.now() + ANSWERS_WITHIN_MS, async () => {
          await connection.workflowService.describeNamespace({ namespace: this.temporal.client.options.namespace });
        }),
        'TEMPORAL_UNAVAILABLE',
      ),
    ]);
    return { status: database === 'ok' && temporal === 'ok' ? 'ok' : 'unavailable', database, temporal };
  }
}

async function answers(question: Promise<unknown>, otherwise: ErrorCode): Promise<PartHealth> {
  const late = Promise.withResolvers<PartHealth>();
  const timer = setTimeout(() => late.resolve(otherwise), ANSWERS_WITHIN_MS);
  try {
    return await Promise.race([
      question.then(
        (): PartHealth => 'ok',
        () => otherwise,
      ),
      late.promise,
    ]);
  } finally {
    clearTimeout(timer);
  }
}
