import { Global, Module } from '@nestjs/common';
import { ClsModule } from 'nestjs-cls';
import { TenantScope } from './tenant-scope.ts';

@Global()
@Module({ imports: [ClsModule.forRoot({ global: true })], providers: [TenantScope], exports: [TenantScope] })
export class ScopeModule {}
