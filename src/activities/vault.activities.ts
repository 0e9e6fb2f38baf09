import { Inject, Injectable } from '@nestjs/common';
import { AccessService } from '../control/access/access.service.ts';
import { VaultWorkService } from '../control/vaults/vault-work.service.ts';
import type { VaultActivities, VaultJobRef } from '../../workflows/contract/index.ts';
import { moverAttempt } from './mover-attempt.ts';
import { MOVER, type MoverPort } from './mover.ts';
import { VaultCalls } from './vault-calls.ts';

@Injectable()
export class VaultMakingActivities implements VaultActivities {
  constructor(
    @Inject(MOVER) private readonly mover: MoverPort,
    private readonly access: AccessService,
    private readonly calls: VaultCalls,
    private readonly vaults: VaultWorkService,
  ) {}

  async createRepository(ref: VaultJobRef): Promise<void> {
    const vault = await this.access.openVault(ref);
    await moverAttempt(async (signal) => await this.mover.createVault({ vault }, this.calls.of(ref, { signal })));
  }

  async markVaultReady(ref: VaultJobRef): Promise<void> {
    await this.vaults.markVaultReady(ref);
  }

  async markVaultFailed({ code, message, ...ref }: VaultJobRef & { code: string; message: string }): Promise<void> {
    await this.vaults.markVaultFailed(ref, code, message);
  }
}
