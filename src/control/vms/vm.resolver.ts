import { Args, Mutation, Query, Resolver } from '@nestjs/graphql';
import type { NodeKey } from '../../kernel/global-id.ts';
import { RequiresPermission } from '../../platform/auth/requires-permission.ts';
import { NodeRegistry } from '../../platform/graphql/node-registry.ts';
import { payload, type Payload } from '../../platform/graphql/payload.ts';
import { type Connection, mapConnection } from '../../platform/paging/connection.ts';
import { idPipe, inputPipe } from '../../platform/wire/input-pipe.ts';
import { VM_USER_ERRORS } from './vm.errors.ts';
import * as vm from './vm.input.ts';
import { VmService } from './vm.service.ts';
import { toVmView, type VmView } from './vm.view.ts';

@Resolver()
export class VmResolver {
  constructor(
    private readonly vms: VmService,
    nodes: NodeRegistry,
  ) {
    nodes.register('Vm', { permission: 'vms:read', get: async (key) => toVmView(await vms.getVm(key)) });
  }

  @Query('vm')
  @RequiresPermission('vms:read')
  async vm(@Args('id', idPipe('Vm')) key: NodeKey): Promise<VmView> {
    return toVmView(await this.vms.getVm(key));
  }

  @Query('vms')
  @RequiresPermission('vms:read')
  async listVms(@Args(inputPipe(vm.listVmsArgs)) args: vm.ListVmsArgs): Promise<Connection<VmView>> {
    return mapConnection(await this.vms.listVms(args), toVmView);
  }

  @Mutation('assignVm')
  @RequiresPermission('vms:write')
  async assignVm(@Args('input', inputPipe(vm.assignVmInput)) input: vm.AssignVmInput): Promise<Payload<'vm', VmView>> {
    return await payload('vm', VM_USER_ERRORS, this.vms.assignVm(input).then(toVmView));
  }

  @Mutation('unassignVm')
  @RequiresPermission('vms:write')
  async unassignVm(
    @Args('input', inputPipe(vm.unassignVmInput)) input: vm.UnassignVmInput,
  ): Promise<Payload<'vm', VmView>> {
    return await payload('vm', VM_USER_ERRORS, this.vms.unassignVm(input).then(toVmView));
  }
}
