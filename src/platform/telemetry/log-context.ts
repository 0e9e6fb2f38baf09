import { ClsServiceManager } from 'nestjs-cls';
import { isUuid } from '../../kernel/ids.ts';
import { TenantScope } from '../auth/tenant-scope.ts';

const scope = new TenantScope(ClsServiceManager.getClsService());

/** On whose behalf a line is written: the request's id and tenant, or the workflow's and its job. */
export function logContext(): Readonly<Record<string, string>> {
  const actor = scope.find();
  const id = scope.requestId();
  if (actor === null) {
    return id === null ? {} : { requestId: id };
  }
  const { tenantId, tokenId } = actor;
  if (tokenId !== null) {
    return { tenantId, tokenId, ...(id === null ? {} : { requestId: id }) };
  }
  return { tenantId, ...workflowContext(id) };
}

/** A job's workflow is called `<kind>/<jobId>`. */
export function workflowContext(workflowId: string | null): Readonly<Record<string, string>> {
  const jobId = workflowId?.split('/').at(-1) ?? '';
  return { ...(workflowId === null ? {} : { workflowId }), ...(isUuid(jobId) ? { jobId } : {}) };
}
