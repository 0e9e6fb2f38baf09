import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { NodeKey } from '../../kernel/global-id.ts';
import type { JsonObject } from './json.ts';

export interface NewEvent {
  /** Whose event it is: the tenant that is written. The subject's unless said. */
  readonly tenantId?: string;
  /** Dotted lower-case words, noun first: `site.created`. */
  readonly type: string;
  readonly subject: NodeKey;
  /** Goes to webhooks as it is: only what the subject's own tenant may see, global ids only. */
  readonly data?: JsonObject;
}

/** The outbox. The relay numbers what was committed and tells whoever listens. */
@Injectable()
export class EventWriter {
  async write(em: EntityManager, { type, subject, data = {}, tenantId = subject.tenantId }: NewEvent): Promise<void> {
    await em.query(
      `insert into app.event (tenant_id, type, subject_type, subject_id, data) values ($1, $2, $3, $4, $5)`,
      [tenantId, type, subject.type, subject.id, JSON.stringify(data)],
    );
  }
}
