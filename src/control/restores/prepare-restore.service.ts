import { Injectable } from '@nestjs/common';
import { AppError } from '../../kernel/errors.ts';
import { TenantDb } from '../../platform/database/tenant-db.ts';
import type {
  NetworkRule,
  Placement,
  PreparedRestore,
  PrepareRestoreInput,
} from '../../../workflows/contract/index.ts';
import { AccessService } from '../access/access.service.ts';
import { JobRunService } from '../jobs/job-run.service.ts';
import { getRestorePointRow } from '../restore-points/restore-point.service.ts';
import { findPlaces } from './placement.ts';

export type LocatedRestore = Omit<PreparedRestore, 'siteQueue'> & { readonly siteId: string };

/** The first step of a restore: where it goes, in the pool's own names, and a note for whoever may have to clean up. */
@Injectable()
export class PrepareRestoreService {
  constructor(
    private readonly db: TenantDb,
    private readonly access: AccessService,
    private readonly runs: JobRunService,
  ) {}

  async prepareRestore(input: PrepareRestoreInput): Promise<LocatedRestore> {
    const { tenantId, jobId, restorePointId, vaultId, target, name } = input;
    const { siteId } = await this.access.openPlacement({ tenantId, target });
    const placement = await this.#place(input);
    await this.runs.journal(
      { tenantId, jobId },
      { siteId, restore: { tenantId, jobId, restorePointId, vaultId, target } },
    );
    return { siteId, restorePointId, vaultId, target, placement, name };
  }

  async #place({ tenantId, restorePointId, target, srId, networkMap }: PrepareRestoreInput): Promise<Placement> {
    return await this.db.run(async (em) => {
      await getRestorePointRow(em, { tenantId, id: restorePointId });
      const places = await findPlaces(em, tenantId, target);
      const sr = places?.srs.find(({ id }) => id === srId);
      if (places === null || sr === undefined) {
        throw new AppError('NO_PLACEMENT_GRANT', 'The storage repository is gone, or may no longer be used.');
      }
      const uuids = new Map(places.networks.map(({ id, xenUuid }) => [id, xenUuid]));
      return { defaultSrUuid: sr.xenUuid, disks: {}, ...toNetworks(networkMap, uuids) };
    });
  }
}

function toNetworks(
  rules: readonly NetworkRule[],
  uuids: ReadonlyMap<string, string>,
): Pick<Placement, 'networks' | 'otherNetworks'> {
  const networks: Record<string, string | null> = {};
  let others: { readonly otherNetworks?: string | null } = {};
  for (const { from, toNetworkId } of rules) {
    const to = toNetworkId === null ? null : uuids.get(toNetworkId);
    if (to === undefined) {
      throw new AppError('NO_PLACEMENT_GRANT', 'A network is gone, or may no longer be used.');
    }
    if (from === null) {
      others = { otherNetworks: to };
    } else {
      networks[from] = to;
    }
  }
  return { networks, ...others };
}
