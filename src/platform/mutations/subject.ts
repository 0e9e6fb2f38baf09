import { type NodeType, toGlobalId } from '../../kernel/global-id.ts';

/** The columns by which events and audit entries name what they are about. */
export interface SubjectColumns {
  readonly tenantId: string;
  readonly subjectType: string;
  readonly subjectId: string;
}

/** The subject's global id. A tenant is its own tenant, also where its parent's row tells of it. */
export function subjectGlobalId({ tenantId, subjectType, subjectId }: SubjectColumns): string {
  const type = subjectType as NodeType;
  return toGlobalId(type, type === 'Tenant' ? subjectId : tenantId, subjectId);
}
