import { Module } from '@nestjs/common';
import { WorkerListsService } from './worker-lists.service.ts';

@Module({ providers: [WorkerListsService], exports: [WorkerListsService] })
export class WorkerListsModule {}
