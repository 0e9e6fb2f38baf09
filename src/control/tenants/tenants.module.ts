import { Module } from '@nestjs/common';
import { TenantTreeService } from './tenant-tree.service.ts';
import { TenantController } from './tenant.controller.ts';
import { TenantResolver } from './tenant.resolver.ts';
import { TenantService } from './tenant.service.ts';

@Module({
  controllers: [TenantController],
  providers: [TenantTreeService, TenantService, TenantResolver],
  exports: [TenantTreeService, TenantService],
})
export class TenantsModule {}
