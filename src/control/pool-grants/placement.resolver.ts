import { Args, Query, Resolver } from '@nestjs/graphql';
import { RequiresPermission } from '../../platform/auth/requires-permission.ts';
import { inputPipe } from '../../platform/wire/input-pipe.ts';
import { type PlacementsArgs, placementsArgs } from './pool-grant.input.ts';
import { PlacementService } from './placement.service.ts';
import { type PlacementView, toPlacementView } from './placement.view.ts';

@Resolver()
export class PlacementResolver {
  constructor(private readonly placements: PlacementService) {}

  @Query('placements')
  @RequiresPermission('grants:read')
  async listPlacements(@Args(inputPipe(placementsArgs)) args: PlacementsArgs): Promise<PlacementView[]> {
    return (await this.placements.listPlacements(args)).map(toPlacementView);
  }
}
