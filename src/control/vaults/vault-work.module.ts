import { Module } from '@nestjs/common';
import { VaultWorkService } from './vault-work.service.ts';

/** The worker's side of vaults: what activities ask and report. */
@Module({ providers: [VaultWorkService], exports: [VaultWorkService] })
export class VaultWorkModule {}
