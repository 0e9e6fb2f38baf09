import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { toGlobalId } from '../../kernel/global-id.ts';
import { EventWriter } from '../../platform/mutations/event-writer.ts';
import { COUNTERS, type Counter } from './meters.ts';
import { usageEventId } from './usage-ids.ts';

export interface NewUsageEvent {
  readonly tenantId: string;
  readonly jobId: string;
  readonly meter: Counter;
  /** Bytes or runs, not negative. */
  readonly quantity: bigint | number;
  /** When it was used: decides the window. */
  readonly occurredAt: Date;
}

/** Writes down what a job used, in the transaction that ends the job. */
@Injectable()
export class UsageEventWriter {
  constructor(private readonly events: EventWriter) {}

  /** Once per job and meter, however often it is called; receivers are told at once, provisionally. */
  async write(em: EntityManager, usage: NewUsageEvent): Promise<void> {
    const { tenantId, jobId, meter, occurredAt } = usage;
    const quantity = usage.quantity.toString();
    const rows: unknown[] = await em.query(
      `insert into app.usage_event (tenant_id, id, meter, quantity, unit, job_id, occurred_at)
       values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing returning 1`,
      [tenantId, usageEventId(jobId, meter), meter, quantity, COUNTERS[meter], jobId, occurredAt],
    );
    if (rows.length === 0) {
      return;
    }
    await this.events.write(em, {
      type: 'usage.recorded',
      subject: { type: 'Job', tenantId, id: jobId },
      data: {
        jobId: toGlobalId('Job', tenantId, jobId),
        meter,
        quantity,
        unit: COUNTERS[meter],
        occurredAt: occurredAt.toISOString(),
        provisional: true,
      },
    });
  }
}
