import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { AppError } from '../../kernel/errors.ts';
import type { Actor } from './actor.ts';
import { ANY_CREDENTIAL, type Permission } from './permissions.ts';
import { PUBLIC, REQUIRED_PERMISSION, type Requirement } from './requires-permission.ts';
import { TenantScope } from './tenant-scope.ts';

/** Denies everything that a handler didn't name a permission for. */
@Injectable()
export class PermissionGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly scope: TenantScope,
  ) {}

  canActivate(context: ExecutionContext): boolean {
    const required = this.reflector.get<Requirement | undefined>(REQUIRED_PERMISSION, context.getHandler());
    if (required === PUBLIC) {
      return true;
    }
    const actor = this.scope.current();
    if (required === undefined) {
      throw new AppError('FORBIDDEN', 'This operation is closed.');
    }
    if (required !== ANY_CREDENTIAL) {
      requirePermission(actor, required);
    }
    return true;
  }
}

export function requirePermission(actor: Actor, permission: Permission): void {
  if (!actor.permissions.has(permission)) {
    throw new AppError('FORBIDDEN', `This credential lacks the permission ${permission}.`, { data: { permission } });
  }
}
