import { Inject, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import { openRoleDatabase } from '../../platform/feed/role-database.ts';
import type { RoleDatabase } from '../../platform/feed/sql.ts';
import { WORKER_DATABASE } from './worker-lists.service.ts';

/** A small pool for what the worker does without a tenant. */
@Module({})
export class WorkerDatabaseModule implements OnApplicationShutdown {
  constructor(@Inject(WORKER_DATABASE) private readonly database: RoleDatabase) {}

  static forRoot(url: string): DynamicModule {
    const open = (): RoleDatabase => openRoleDatabase({ url, role: 'holdfast_worker', poolSize: 2 });
    return {
      module: WorkerDatabaseModule,
      global: true,
      providers: [{ provide: WORKER_DATABASE, useFactory: open }],
      exports: [WORKER_DATABASE],
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.database.end();
  }
}
