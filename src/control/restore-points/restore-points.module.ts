import { Module } from '@nestjs/common';
import { RestorePointController } from './restore-point.controller.ts';
import { RestorePointResolver } from './restore-point.resolver.ts';
import { RestorePointService } from './restore-point.service.ts';

@Module({
  controllers: [RestorePointController],
  providers: [RestorePointService, RestorePointResolver],
  exports: [RestorePointService],
})
export class RestorePointsModule {}
