import { Module, type DynamicModule } from '@nestjs/common';
import { JobRunModule } from '../jobs/job-run.module.ts';
import { ReconcilerLoop, ReconcilerSettings } from './reconciler-loop.ts';
import { ReconcilerService } from './reconciler.service.ts';
import { WorkerListsModule } from './worker-lists.module.ts';

/** Rows and workflows brought together, every so often. */
@Module({})
export class ReconcilerModule {
  static forRoot(everyMs: number): DynamicModule {
    return {
      module: ReconcilerModule,
      imports: [JobRunModule, WorkerListsModule],
      providers: [
        ReconcilerService,
        ReconcilerLoop,
        { provide: ReconcilerSettings, useValue: new ReconcilerSettings(everyMs) },
      ],
      exports: [ReconcilerService],
    };
  }
}
