import { Body, Controller, Delete, Get, Param, Put, Query } from '@nestjs/common';
import type { NodeKey } from '../../kernel/global-id.ts';
import { type ListBody, mapConnection, toListBody } from '../../platform/paging/connection.ts';
import { IdempotencyKey } from '../../platform/rest/headers.ts';
import { Operation } from '../../platform/rest/operation.ts';
import { idPipe, inputPipe } from '../../platform/wire/input-pipe.ts';
import * as vm from './vm.input.ts';
import { VmService } from './vm.service.ts';
import { toVmView, vmView, type VmView } from './vm.view.ts';

@Controller('v1')
export class VmController {
  constructor(private readonly vms: VmService) {}

  @Get('vms')
  @Operation({
    summary: 'List the VMs of a tenant, newest first',
    permission: 'vms:read',
    returns: vmView,
    list: true,
    query: { tenantId: 'Tenant', includePast: 'text' },
  })
  async listVms(@Query(inputPipe(vm.listVmsQuery)) query: vm.ListVmsArgs): Promise<ListBody<VmView>> {
    return toListBody(mapConnection(await this.vms.listVms(query), toVmView));
  }

  @Get('vms/:vmId')
  @Operation({ summary: 'Read a VM', permission: 'vms:read', returns: vmView, ids: { vmId: 'Vm' } })
  async getVm(@Param('vmId', idPipe('Vm')) vmId: NodeKey): Promise<VmView> {
    return toVmView(await this.vms.getVm(vmId));
  }

  @Put('pool-vms/:poolVmId/assignment')
  @Operation({
    summary: 'Assign a guest of a shared pool to a tenant',
    permission: 'vms:write',
    body: vm.assignVmBody,
    returns: vmView,
    ids: { poolVmId: 'PoolVm' },
    idempotencyKey: 'required',
  })
  async assignVm(
    @Param('poolVmId', idPipe('PoolVm')) poolVmId: NodeKey,
    @Body(inputPipe(vm.assignVmBody)) body: vm.AssignVmBody,
    @IdempotencyKey() idempotencyKey: string,
  ): Promise<VmView> {
    return toVmView(await this.vms.assignVm({ ...body, poolVmId, idempotencyKey }));
  }

  @Delete('pool-vms/:poolVmId/assignment')
  @Operation({
    summary: 'Take a guest of a shared pool back to its owner',
    permission: 'vms:write',
    returns: vmView,
    ids: { poolVmId: 'PoolVm' },
    idempotencyKey: 'required',
  })
  async unassignVm(
    @Param('poolVmId', idPipe('PoolVm')) poolVmId: NodeKey,
    @IdempotencyKey() idempotencyKey: string,
  ): Promise<VmView> {
    return toVmView(await this.vms.unassignVm({ poolVmId, idempotencyKey }));
  }
}
