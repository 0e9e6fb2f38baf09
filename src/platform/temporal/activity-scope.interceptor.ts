import { Logger } from '@nestjs/common';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { Context } from '@temporalio/activity';
import type { ActivityExecuteInput, ActivityInboundCallsInterceptor, Next } from '@temporalio/worker';
import { AppError, toAppError } from '../../kernel/errors.ts';
import { isUuid, toId, type TenantId } from '../../kernel/ids.ts';
import { systemActor } from '../auth/actor.ts';
import type { TenantScope } from '../auth/tenant-scope.ts';
import { workflowContext } from '../telemetry/log-context.ts';
import { toFailure } from './failure.ts';

const log = new Logger('Activity');

/** Runs each activity as exactly the tenant that its input names first, and maps what it throws. */
export class ActivityScopeInterceptor implements ActivityInboundCallsInterceptor {
  constructor(
    private readonly context: Context,
    private readonly scope: TenantScope,
  ) {}

  async execute(input: ActivityExecuteInput, next: Next<ActivityInboundCallsInterceptor, 'execute'>): Promise<unknown> {
    const { activityType, attempt, workflowExecution } = this.context.info;
    const workflowId = workflowExecution?.workflowId ?? null;
    try {
      const actor = systemActor(activityType, tenantOf(input.args[0], activityType));
      return await this.scope.run(actor, workflowId, async () => await next(input));
    } catch (error) {
      log.warn({
        activity: activityType,
        attempt,
        ...named(input.args[0]),
        ...workflowContext(workflowId),
        err: error,
      });
      const { cancellationSignal } = this.context;
      if (cancellationSignal.aborted && toAppError(error).kind === 'cancelled') {
        throw stopped(cancellationSignal.reason);
      }
      throw toFailure(error);
    }
  }
}

/** Whoever asked for the end gets it; an attempt that ends because its worker does is made again by another worker. */
function stopped(reason: unknown): unknown {
  const shutdown = reason instanceof CancelledFailure && reason.message === 'WORKER_SHUTDOWN';
  return shutdown ? ApplicationFailure.retryable('The worker is shutting down.', 'CANCELLED') : reason;
}

/** The tenant of an input, for the log. */
function named(input: unknown): { readonly tenantId?: unknown } {
  return typeof input === 'object' && input !== null && 'tenantId' in input ? { tenantId: input.tenantId } : {};
}

function tenantOf(input: unknown, activity: string): TenantId {
  const tenantId = typeof input === 'object' && input !== null && 'tenantId' in input ? input.tenantId : undefined;
  if (typeof tenantId !== 'string' || !isUuid(tenantId)) {
    throw new AppError('INTERNAL', `The activity ${activity} was called without a tenant.`);
  }
  return toId(tenantId);
}
