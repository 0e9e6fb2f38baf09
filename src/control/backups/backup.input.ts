import { z } from 'zod';
import { globalId, idempotencyKeyField } from '../../platform/wire/fields.ts';

const choice = z
  .boolean()
  .nullish()
  .transform((value) => value ?? true);

export const backupVmBody = z.strictObject({
  vaultId: globalId('Vault'),
  changedBlocks: choice,
  pauseForConsistency: choice,
});
export type BackupVmBody = z.infer<typeof backupVmBody>;

export const backupVmInput = backupVmBody.extend({ vmId: globalId('Vm'), idempotencyKey: idempotencyKeyField });
export type BackupVmInput = z.infer<typeof backupVmInput>;
