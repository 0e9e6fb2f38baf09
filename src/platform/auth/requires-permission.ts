import { SetMetadata, type CustomDecorator } from '@nestjs/common';
import type { ANY_CREDENTIAL, Permission } from './permissions.ts';

export const REQUIRED_PERMISSION = 'holdfast:permission';
/** For the few handlers that answer anybody: health and the OpenAPI document. */
export const PUBLIC = 'public';

export type Requirement = Permission | typeof ANY_CREDENTIAL | typeof PUBLIC;

/** Every resolver and controller method carries this; one that does not answers FORBIDDEN and fails a test. */
export function RequiresPermission(permission: Requirement): CustomDecorator {
  return SetMetadata(REQUIRED_PERMISSION, permission);
}
