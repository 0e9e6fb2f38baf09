import { Module, type DynamicModule } from '@nestjs/common';
import type { Patience } from '../../../workflows/contract/index.ts';
import { JobPatience } from './job-patience.ts';

/** What configuration says about jobs. */
@Module({})
export class JobSettingsModule {
  static forRoot(patience: Patience): DynamicModule {
    return {
      module: JobSettingsModule,
      global: true,
      providers: [{ provide: JobPatience, useValue: new JobPatience(patience) }],
      exports: [JobPatience],
    };
  }
}
