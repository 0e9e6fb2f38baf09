import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { JobId, RestorePointId, TenantId, VaultId, VmId } from '../../kernel/ids.ts';

export type Consistency = 'CRASH_PER_DISK' | 'CRASH' | 'POWERED_OFF';

@Entity({ schema: 'app', name: 'restore_point' })
export class RestorePointRow {
  @PrimaryColumn('uuid', { name: 'tenant_id' })
  tenantId!: TenantId;

  @PrimaryColumn('uuid')
  id!: RestorePointId;

  @Column('uuid', { name: 'vault_id' })
  vaultId!: VaultId;

  @Column('uuid', { name: 'vm_id' })
  vmId!: VmId;

  @Column('uuid', { name: 'job_id' })
  jobId!: JobId;

  @Column('text', { name: 'vm_name' })
  vmName!: string;

  @Column('timestamptz', { name: 'taken_at' })
  takenAt!: Date;

  @Column('text')
  method!: 'ONLINE';

  @Column('text')
  consistency!: Consistency;

  @Column('bigint', { name: 'size_bytes' })
  sizeBytes!: string;

  @Column('bigint', { name: 'read_bytes' })
  readBytes!: string;

  @Column('bigint', { name: 'stored_bytes' })
  storedBytes!: string;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;
}
