import { Module, type BeforeApplicationShutdown, type DynamicModule } from '@nestjs/common';
import { TenantScope } from '../auth/tenant-scope.ts';
import { WorkerHost, type WorkerHostOptions } from './worker-host.ts';

/** `WorkerHost` for a process that runs workflows and activities; drained before anything else is closed. */
@Module({})
export class WorkerHostModule implements BeforeApplicationShutdown {
  constructor(private readonly host: WorkerHost) {}

  static forRoot(options: WorkerHostOptions): DynamicModule {
    return {
      module: WorkerHostModule,
      global: true,
      providers: [
        {
          provide: WorkerHost,
          useFactory: async (scope: TenantScope) => await WorkerHost.connect(options, scope),
          inject: [TenantScope],
        },
      ],
      exports: [WorkerHost],
    };
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.host.close();
  }
}
