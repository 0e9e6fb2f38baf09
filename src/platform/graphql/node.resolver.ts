import { Args, Query, Resolver } from '@nestjs/graphql';
import { ANY_CREDENTIAL } from '../auth/permissions.ts';
import { RequiresPermission } from '../auth/requires-permission.ts';
import { NodeRegistry } from './node-registry.ts';

@Resolver()
export class NodeResolver {
  constructor(private readonly nodes: NodeRegistry) {}

  @Query('node')
  @RequiresPermission(ANY_CREDENTIAL)
  async node(@Args('id') id: string): Promise<{ readonly __typename: string }> {
    return await this.nodes.get(id);
  }
}
