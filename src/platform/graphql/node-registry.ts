import { Injectable } from '@nestjs/common';
import { AppError } from '../../kernel/errors.ts';
import { parseGlobalId, type NodeKey, type NodeType } from '../../kernel/global-id.ts';
import { requirePermission } from '../auth/permission.guard.ts';
import type { Permission } from '../auth/permissions.ts';
import { TenantScope } from '../auth/tenant-scope.ts';

/** How one type of object is found by its global id. */
export interface NodeSource {
  readonly permission: Permission;
  /** Throws NOT_FOUND where the actor can't see it. */
  get(key: NodeKey): Promise<{ readonly __typename: string }>;
}

/** Each domain registers how its objects are found; `node(id:)` answers from here. */
@Injectable()
export class NodeRegistry {
  readonly #sources = new Map<NodeType, NodeSource>();

  constructor(private readonly scope: TenantScope) {}

  register(type: NodeType, source: NodeSource): void {
    this.#sources.set(type, source);
  }

  types(): NodeType[] {
    return [...this.#sources.keys()];
  }

  async get(id: string): Promise<{ readonly __typename: string }> {
    const key = parseGlobalId(id);
    if (key === null) {
      throw new AppError('NOT_FOUND', 'Object not found: the id is malformed.', {
        hint: 'Give an id as you got it: a short type, an underscore and 52 characters.',
      });
    }
    const source = this.#sources.get(key.type);
    if (source === undefined) {
      throw new AppError('NOT_FOUND', 'Object not found.');
    }
    requirePermission(this.scope.current(), source.permission);
    return await source.get(key);
  }
}
