import { Module } from '@nestjs/common';
import { HealthController } from './health.controller.ts';
import { HealthService } from './health.service.ts';

/** GET /healthz and /readyz, for processes that listen. */
@Module({ controllers: [HealthController], providers: [HealthService] })
export class HealthModule {}
