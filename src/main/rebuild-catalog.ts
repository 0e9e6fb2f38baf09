import 'reflect-metadata';
import { join } from 'node:path';
import { Module, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AccessService } from '../control/access/access.service.ts';
import { PoolInventoryModule } from '../control/pools/pool-inventory.module.ts';
import { RebuildCatalogService, type RebuiltCatalog } from '../control/restore-points/rebuild-catalog.service.ts';
import { VaultLeasesService } from '../control/vault-leases/vault-leases.service.ts';
import { FileKeyRing, listRepositoryKeys } from '../engine/index.ts';
import { AppError } from '../kernel/errors.ts';
import { parseGlobalId } from '../kernel/global-id.ts';
import { isUuid, toId, type TenantId } from '../kernel/ids.ts';
import { LocalMover } from '../movers/local-mover.ts';
import type { RecoveredCatalog, RecoveredPoint } from '../movers/port.ts';
import { systemActor } from '../platform/auth/actor.ts';
import { ScopeModule } from '../platform/auth/scope.module.ts';
import { TenantScope } from '../platform/auth/tenant-scope.ts';
import { loadConfig } from '../platform/config/config.ts';
import { DatabaseModule } from '../platform/database/database.module.ts';
import { MutationsModule } from '../platform/mutations/mutations.module.ts';
import { runRole } from '../platform/process/run-role.ts';
import { SecretsModule } from '../platform/secrets/secrets.module.ts';
import { openProcessLog, processLog } from '../platform/telemetry/process-log.ts';

export interface VaultKey {
  readonly tenantId: string;
  readonly vaultId: string;
}

export interface RebuildOptions {
  readonly databaseUrl: string;
  readonly keysFolder: string;
}

export interface RebuiltVault extends RebuiltCatalog, Pick<RecoveredCatalog, 'epoch' | 'foreign' | 'damaged'> {
  readonly points: number;
}

@Module({})
class Rebuilding {
  static forRoot({ databaseUrl, keysFolder }: RebuildOptions): DynamicModule {
    return {
      module: Rebuilding,
      imports: [
        ScopeModule,
        DatabaseModule.forRoot({ url: databaseUrl, role: 'holdfast_worker' }),
        SecretsModule.forRoot({ keyFile: join(keysFolder, 'control.key') }),
        MutationsModule,
        PoolInventoryModule,
      ],
      providers: [AccessService, VaultLeasesService, RebuildCatalogService],
    };
  }
}

/** Asks each vault what it holds, fencing what began before, and makes the database say the same. Tells each as it goes. */
export async function rebuildCatalogs(
  options: RebuildOptions,
  vaults: readonly VaultKey[],
  tell: (vault: VaultKey, outcome: RebuiltVault | AppError) => void,
): Promise<void> {
  const context = await NestFactory.createApplicationContext(Rebuilding.forRoot(options), {
    abortOnError: false,
    logger: processLog(),
  });
  const mover = new LocalMover();
  const keyRing = new FileKeyRing(join(options.keysFolder, 'tenants'));
  const rebuild = async (vault: VaultKey): Promise<RebuiltVault> => {
    const leases = context.get(VaultLeasesService).forTenant(toId<TenantId>(vault.tenantId));
    const call = { keyRing, leases, signal: new AbortController().signal };
    const access = await context.get(AccessService).openVault(vault);
    const { epoch, storedBytes, foreign, damaged, points } = await mover.recoverCatalog({ vault: access }, call);
    const undecided = damaged.flatMap(({ name }) => name.split('/').filter(isUuid));
    const content = { ...vault, storedBytes, points: points.map(toNewPoint), undecided };
    const rebuilt = await context.get(RebuildCatalogService).rebuildCatalog(content);
    return { ...rebuilt, epoch, foreign, damaged, points: points.length };
  };
  try {
    for (const vault of vaults) {
      const actor = systemActor('rebuild-catalog', toId<TenantId>(vault.tenantId));
      tell(vault, await context.get(TenantScope).run(actor, null, async () => await orExpected(rebuild(vault))));
    }
  } finally {
    await mover.close();
    await context.close();
  }
}

/** Every vault that there are keys of. */
export async function listVaultKeys(keysFolder: string): Promise<VaultKey[]> {
  const all = await listRepositoryKeys(join(keysFolder, 'tenants'));
  return all.map(({ tenantId, repositoryId }) => ({ tenantId, vaultId: repositoryId }));
}

function toNewPoint({ restorePointId, vmId, jobId, disks, ...point }: RecoveredPoint) {
  return { vmId, jobId, committedAt: point.committedAt, point: { restorePointId, ...point, disks }, disks };
}

/** What is expected to happen to one vault keeps no other from its turn. */
async function orExpected<T>(work: Promise<T>): Promise<T | AppError> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof AppError && error.kind !== 'bug') {
      return error;
    }
    throw error;
  }
}

function print({ vaultId }: VaultKey, outcome: RebuiltVault | AppError): void {
  if (outcome instanceof AppError) {
    process.stdout.write(`vault ${vaultId}: ${outcome.message} [${outcome.code}]\n`);
    return;
  }
  const { points, added, removed, kept, vms, epoch, foreign, damaged } = outcome;
  process.stdout.write(
    `vault ${vaultId}: ${points} restore points; ${added} added, ${removed} removed, ${kept} kept for their replicas, ` +
      `${vms} VMs added; epoch ${epoch}\n`,
  );
  foreign.forEach((id) => process.stdout.write(`  restore point ${id} was not made by a backup of Holdfast\n`));
  damaged.forEach(({ name, message }) => process.stdout.write(`  DAMAGED ${name}: ${message}\n`));
}

if (import.meta.main) {
  await runRole({
    name: 'rebuild-catalog',
    about: 'makes the database say of vaults what the vaults themselves say; writers from before are fenced',
    options: { vault: { value: 'ID', about: 'only this vault; otherwise all that there are keys of' } },
    start: async ({ vault }) => {
      const config = loadConfig(process.env, 'rebuild-catalog');
      openProcessLog(config);
      const all = await listVaultKeys(config.keysFolder);
      const wanted = vault === undefined ? undefined : (parseGlobalId(vault)?.id ?? vault);
      const chosen = all.filter(({ vaultId }) => wanted === undefined || vaultId === wanted);
      if (chosen.length === 0) {
        throw new AppError('KEY_MISSING', `There are no keys of ${vault ?? 'any vault'} in ${config.keysFolder}.`);
      }
      const failed: AppError[] = [];
      await rebuildCatalogs(
        { databaseUrl: config.database.url ?? '', keysFolder: config.keysFolder },
        chosen,
        (key, outcome) => {
          print(key, outcome);
          failed.push(...(outcome instanceof AppError ? [outcome] : []));
        },
      );
      const [first] = failed;
      if (first !== undefined) {
        throw new AppError(first.code, `${failed.length} of ${chosen.length} catalogues were not rebuilt.`);
      }
      return null;
    },
  });
}
