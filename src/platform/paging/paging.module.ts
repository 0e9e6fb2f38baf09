import { Global, Module } from '@nestjs/common';
import { Pager } from './pager.ts';

@Global()
@Module({ providers: [Pager], exports: [Pager] })
export class PagingModule {}
