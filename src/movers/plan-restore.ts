import type { Repository } from '../engine/index.ts';
import { readTargets } from '../xen/read-inventory.ts';
import { parseVmConfig, type VmConfig } from '../xen/vm-config.ts';
import type { XapiConnection } from '../xen/xapi-connection.ts';
import { checkPlacement, networkUuidOf, toRestoreDisks } from './placement.ts';
import type { PlanRestoreCommand, RestorePlan } from './restore-commands.ts';

/** Checks a placement against the target pool before any byte moves. Changes nothing. */
export async function planRestore(
  connection: XapiConnection,
  repository: Repository,
  { restorePointId, placement }: PlanRestoreCommand,
  signal: AbortSignal,
): Promise<RestorePlan> {
  const [config, target] = await Promise.all([readConfig(repository, restorePointId), readTargets(connection, signal)]);
  const warnings = checkPlacement(config, placement, target);
  const disks = toRestoreDisks(config, placement);
  return {
    restorePointId,
    vmName: config.vm.name_label,
    disks,
    totalBytes: disks.reduce((sum, disk) => sum + disk.sizeBytes, 0),
    interfaces: config.interfaces.map((vif) => ({
      device: vif.device,
      sourceNetworkName: vif.networkName,
      networkUuid: networkUuidOf(placement, vif),
    })),
    warnings,
  };
}

export async function readConfig(repository: Repository, restorePointId: string): Promise<VmConfig> {
  return parseVmConfig((await repository.readPoint(restorePointId)).config);
}
