import { Controller, Get, Query } from '@nestjs/common';
import { z } from 'zod';
import { Operation } from '../../platform/rest/operation.ts';
import { inputPipe } from '../../platform/wire/input-pipe.ts';
import { type PlacementsArgs, placementsArgs } from './pool-grant.input.ts';
import { PlacementService } from './placement.service.ts';
import { placementView, type PlacementView, toPlacementView } from './placement.view.ts';

@Controller('v1/placements')
export class PlacementController {
  constructor(private readonly placements: PlacementService) {}

  @Get()
  @Operation({
    summary: 'Where a tenant may restore and replicate to',
    permission: 'grants:read',
    returns: z.object({ items: z.array(placementView) }),
    query: { tenantId: 'Tenant' },
  })
  async listPlacements(
    @Query(inputPipe(placementsArgs)) query: PlacementsArgs,
  ): Promise<{ readonly items: readonly PlacementView[] }> {
    return { items: (await this.placements.listPlacements(query)).map(toPlacementView) };
  }
}
