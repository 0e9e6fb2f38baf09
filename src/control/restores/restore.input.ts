import { z } from 'zod';
import { globalId, idempotencyKeyField, nameField, optional } from '../../platform/wire/fields.ts';
import { placementFields } from './placement.input.ts';

export const restoreVmBody = z.strictObject({ ...placementFields, name: optional(nameField) });
export type RestoreVmBody = z.infer<typeof restoreVmBody>;

export const restoreVmInput = restoreVmBody.extend({
  restorePointId: globalId('RestorePoint'),
  idempotencyKey: idempotencyKeyField,
});
export type RestoreVmInput = z.infer<typeof restoreVmInput>;
