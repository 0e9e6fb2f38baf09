import { Controller, Get, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Response } from 'express';
import { PUBLIC, RequiresPermission } from '../auth/requires-permission.ts';
import { HealthService, type Health } from './health.service.ts';

/** For whoever supervises the process; no part of the public contract, so OpenAPI doesn't have it. */
@ApiExcludeController()
@Controller()
export class HealthController {
  constructor(private readonly health: HealthService) {}

  /** That it answers is the answer. */
  @Get('healthz')
  @RequiresPermission(PUBLIC)
  live(): { readonly status: 'ok' } {
    return { status: 'ok' };
  }

  /** 503 while requests had better go to another process. */
  @Get('readyz')
  @RequiresPermission(PUBLIC)
  async ready(@Res({ passthrough: true }) response: Response): Promise<Health> {
    const health = await this.health.current();
    response.status(health.status === 'ok' ? 200 : 503);
    return health;
  }
}
