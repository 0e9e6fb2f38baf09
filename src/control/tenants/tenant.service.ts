import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { toGlobalId, type NodeKey } from '../../kernel/global-id.ts';
import { TenantScope } from '../../platform/auth/tenant-scope.ts';
import { onConstraint } from '../../platform/database/sql-state.ts';
import { checkVersion, updateVersioned } from '../../platform/database/versioned-update.ts';
import { Mutations } from '../../platform/mutations/mutations.ts';
import { getTenant } from './tenant-tree.service.ts';
import { TenantRow } from './tenant.entity.ts';
import { customerIsLeaf, tenantGoverned, tenantNameTaken } from './tenant.errors.ts';
import type { CreateTenantInput, RenameTenantInput, ResumeTenantInput, SuspendTenantInput } from './tenant.input.ts';

type ChangeInput = ResumeTenantInput;

interface TenantChange {
  readonly name: string;
  readonly event: string;
  readonly changes: Partial<Pick<TenantRow, 'name' | 'state' | 'billable' | 'billableReason'>>;
}

@Injectable()
export class TenantService {
  constructor(
    private readonly scope: TenantScope,
    private readonly mutations: Mutations,
  ) {}

  /** The event and the audit entry belong to the parent, who did it. */
  async createTenant(input: CreateTenantInput): Promise<TenantRow> {
    const parent = this.scope.tenantOr(input.parentId);
    return await this.mutations.run({
      name: 'createTenant',
      target: parent,
      input,
      work: async (em) => {
        const id = await insertTenant(em, parent, input);
        const subject = tenantKey(id);
        const value = await getTenant(em, subject);
        const data = { tenantId: toGlobalId('Tenant', id, id), kind: input.kind, name: input.name };
        return { value, subject, event: 'tenant.created', data };
      },
      replay: async (em, id) => await getTenant(em, tenantKey(id)),
    });
  }

  async renameTenant(input: RenameTenantInput): Promise<TenantRow> {
    const { name } = input;
    return await this.#change(input, { name: 'renameTenant', event: 'tenant.renamed', changes: { name } });
  }

  /** Nothing of a suspended tenant, or below it, can be changed but from above; what runs, runs on. */
  async suspendTenant(input: SuspendTenantInput): Promise<TenantRow> {
    const billable = input.billable ?? false;
    const changes = { state: 'SUSPENDED', billable, billableReason: 'SUSPENDED' } as const;
    return await this.#change(input, { name: 'suspendTenant', event: 'tenant.suspended', changes });
  }

  async resumeTenant(input: ResumeTenantInput): Promise<TenantRow> {
    const changes = { state: 'ACTIVE', billable: true, billableReason: 'ACTIVE' } as const;
    return await this.#change(input, { name: 'resumeTenant', event: 'tenant.resumed', changes });
  }

  async #change(input: ChangeInput, { name, event, changes }: TenantChange): Promise<TenantRow> {
    const { tenantId: subject, expectedVersion } = input;
    return await this.mutations.run<TenantRow>({
      name,
      target: subject,
      input,
      work: async (em) => {
        const row = await getTenant(em, subject);
        if (row.id === this.scope.current().tenantId) {
          throw tenantGoverned();
        }
        checkVersion(row, expectedVersion);
        const value = await updateVersioned<TenantRow>(em, TenantRow, row, changes).catch(
          onConstraint({ tenant_name_in_parent: () => tenantNameTaken(changes.name ?? row.name) }),
        );
        return { value, subject, event, data: changes };
      },
      replay: async (em, id) => await getTenant(em, tenantKey(id)),
    });
  }
}

async function insertTenant(em: EntityManager, parent: NodeKey, input: CreateTenantInput): Promise<string> {
  if ((await getTenant(em, parent)).kind === 'CUSTOMER') {
    throw customerIsLeaf();
  }
  const [made]: { id: string }[] = await em
    .query('select app.create_tenant($1, $2, $3) as id', [parent.tenantId, input.kind, input.name])
    .catch(onConstraint({ tenant_name_in_parent: () => tenantNameTaken(input.name) }));
  return made?.id ?? '';
}

function tenantKey(id: string): NodeKey {
  return { type: 'Tenant', tenantId: id, id };
}
