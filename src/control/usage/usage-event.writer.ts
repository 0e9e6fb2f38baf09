import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { v5 } from 'uuid';
import { toGlobalId } from '../../kernel/global-id.ts';
import { EventWriter } from '../../platform/mutations/event-writer.ts';

export type JobMeter =
  | 'backed_up_bytes'
  | 'backup_runs'
  | 'restored_bytes'
  | 'restore_runs'
  | 'replicated_bytes'
  | 'replication_runs';

export interface JobUsage {
  readonly tenantId: string;
  readonly jobId: string;
  /** When the work was done: decides the window. */
  readonly occurredAt: Date;
  /** Bytes for meters that end in `_bytes`, runs for the others. */
  readonly quantities: Partial<Readonly<Record<JobMeter, number>>>;
}

/** The space of ids that are made from job and meter. */
const NAMESPACE = '6a0e1f0c-5d57-4f0e-9f43-3c0c2b1d7a11';

/** What a job used, written in its commit transaction; writing it again is the same row. */
@Injectable()
export class UsageEventWriter {
  constructor(private readonly events: EventWriter) {}

  /** False where all of it had been written before. */
  async write(em: EntityManager, { tenantId, jobId, occurredAt, quantities }: JobUsage): Promise<boolean> {
    let isNew = false;
    for (const [meter, quantity] of Object.entries(quantities)) {
      const unit = meter.endsWith('_bytes') ? 'byte' : 'run';
      const id = v5(`${jobId}/${meter}`, NAMESPACE);
      const inserted: unknown[] = await em.query(
        `insert into app.usage_event (tenant_id, id, meter, quantity, unit, job_id, occurred_at)
         values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing returning 1`,
        [tenantId, id, meter, quantity, unit, jobId, occurredAt],
      );
      if (inserted.length > 0) {
        isNew = true;
        await this.events.write(em, {
          type: 'usage.recorded',
          subject: { type: 'Job', tenantId, id: jobId },
          data: {
            usageEventId: id,
            meter,
            quantity: String(quantity),
            unit,
            jobId: toGlobalId('Job', tenantId, jobId),
            occurredAt: occurredAt.toISOString(),
            provisional: true,
          },
        });
      }
    }
    return isNew;
  }
}
