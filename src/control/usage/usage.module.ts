import { Module } from '@nestjs/common';
import { UsageEventWriter } from './usage-event-writer.service.ts';
import { UsageRecordService } from './usage-record.service.ts';
import { UsagePeriodService } from './usage-period.service.ts';
import { UsageController } from './usage.controller.ts';
import { UsageResolver } from './usage.resolver.ts';

@Module({
  controllers: [UsageController],
  providers: [UsageEventWriter, UsageRecordService, UsagePeriodService, UsageResolver],
  exports: [UsageEventWriter, UsageRecordService],
})
export class UsageModule {}
