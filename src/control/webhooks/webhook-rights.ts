import { AppError } from '../../kernel/errors.ts';
import type { Actor } from '../../platform/auth/actor.ts';
import { requirePermission } from '../../platform/auth/permission.guard.ts';
import type { EndpointReach } from './webhook-endpoint.entity.ts';

/** An endpoint for the subtree serves those above and below: who reaches one tenant only leaves it alone. */
export function requireReach(actor: Actor, reach: EndpointReach): void {
  if (reach === 'SUBTREE' && actor.reach !== 'SUBTREE') {
    throw new AppError('FORBIDDEN', 'This credential reaches its own tenant only, and so do the endpoints it governs.');
  }
}

/** An endpoint tells events, and for the subtree those of tenants below: only who may read them has it send them. */
export function requireHearing(actor: Actor, reach: EndpointReach): void {
  requirePermission(actor, 'events:read');
  requireReach(actor, reach);
}
