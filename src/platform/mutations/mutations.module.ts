import { Global, Module } from '@nestjs/common';
import { AuditWriter } from './audit-writer.ts';
import { EventWriter } from './event-writer.ts';
import { Idempotency } from './idempotency.ts';
import { Mutations } from './mutations.ts';

@Global()
@Module({
  providers: [Mutations, Idempotency, EventWriter, AuditWriter],
  exports: [Mutations, EventWriter, AuditWriter],
})
export class MutationsModule {}
