import { Inject, Injectable } from '@nestjs/common';
import { toId, type TenantId } from '../kernel/ids.ts';
import { VaultLeasesService } from '../control/vault-leases/vault-leases.service.ts';
import type { MoverCall, VaultCall } from '../movers/port.ts';
import { KEY_RING, type KeyRing } from './mover.ts';

/** The live side of a call that opens a vault: its tenant's keys and leases. */
@Injectable()
export class VaultCalls {
  constructor(
    @Inject(KEY_RING) private readonly keyRing: KeyRing,
    private readonly leases: VaultLeasesService,
  ) {}

  of({ tenantId }: { readonly tenantId: string }, call: MoverCall): VaultCall {
    return { ...call, keyRing: this.keyRing, leases: this.leases.forTenant(toId<TenantId>(tenantId)) };
  }
}
