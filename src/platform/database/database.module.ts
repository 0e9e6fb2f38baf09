import { Inject, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { createDataSource, DATA_SOURCE, type DatabaseOptions } from './data-source.ts';
import { TenantDb } from './tenant-db.ts';
import { toDatabaseError } from './sql-state.ts';

/** The process's one DataSource, acting as its role, and `TenantDb` on it. */
@Module({})
export class DatabaseModule implements OnApplicationShutdown {
  constructor(@Inject(DATA_SOURCE) private readonly dataSource: DataSource) {}

  static forRoot(options: DatabaseOptions): DynamicModule {
    return {
      module: DatabaseModule,
      global: true,
      providers: [{ provide: DATA_SOURCE, useFactory: async () => await connect(options) }, TenantDb],
      exports: [DATA_SOURCE, TenantDb],
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.dataSource.destroy();
  }
}

async function connect(options: DatabaseOptions): Promise<DataSource> {
  try {
    return await createDataSource(options).initialize();
  } catch (error) {
    throw toDatabaseError(error);
  }
}
