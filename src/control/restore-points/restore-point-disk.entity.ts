import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { RestorePointId, TenantId } from '../../kernel/ids.ts';

@Entity({ schema: 'app', name: 'restore_point_disk' })
export class RestorePointDiskRow {
  @PrimaryColumn('uuid', { name: 'tenant_id' })
  tenantId!: TenantId;

  @PrimaryColumn('uuid', { default: () => 'uuidv7()' })
  id!: string;

  @Column('uuid', { name: 'restore_point_id' })
  restorePointId!: RestorePointId;

  /** Names the disk in the VM's restore points: XenServer's UUID of it. */
  @Column('text', { name: 'disk_key' })
  diskKey!: string;

  @Column('text')
  name!: string;

  @Column('text')
  position!: string;

  @Column('bigint', { name: 'size_bytes' })
  sizeBytes!: string;

  @Column('bigint', { name: 'read_bytes' })
  readBytes!: string;

  @Column('bigint', { name: 'stored_bytes' })
  storedBytes!: string;

  @Column('text')
  path!: 'CHANGED_BLOCKS' | 'FULL';

  /** Why every block was read, where it was. */
  @Column('text', { name: 'full_reason', nullable: true })
  fullReason!: string | null;
}
