import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Client } from 'pg';
import { DirectoryStore, FileKeyRing, MemoryLeases, openRepository, type Repository } from '../../src/engine/index.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { parseGlobalId } from '../../src/kernel/global-id.ts';
import { listVaultKeys, rebuildCatalogs, type RebuiltVault, type VaultKey } from '../../src/main/rebuild-catalog.ts';
import { Stage } from '../faults/stage.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

const MIB = 1024 * 1024;
/** When a row came into the catalogue is told to the millisecond only by the row itself. */
const POINTS = `select to_jsonb(p) - 'created_at' as row from app.restore_point p order by id`;
const DISKS = `select to_jsonb(d) - 'id' as row from app.restore_point_disk d order by restore_point_id, disk_key`;

let database: TestDatabase;
let stage: Stage;
let admin: Client;
let folder: string;
let vault: VaultKey;

beforeAll(async () => {
  database = await createTestDatabase();
  stage = await Stage.start({ databaseUrl: database.url });
  admin = new Client({ connectionString: database.adminUrl });
  await admin.connect();
  const { simulator } = stage;
  const machines = [
    await simulator.makeFilledVm('alpha', [6 * MIB, 3 * MIB]),
    await simulator.makeFilledVm('alpha', [4 * MIB]),
  ];
  const pool = await stage.addPool('alpha');
  const made = await stage.addVault();
  const key = parseGlobalId(made.vaultId);
  vault = { tenantId: key?.tenantId ?? '', vaultId: key?.id ?? '' };
  folder = join(made.folder, vault.vaultId);
  for (const machine of [machines[0], machines[0], machines[1]]) {
    const vmId = await stage.vmId(machine?.uuid ?? '', pool);
    const { state, error } = await stage.runJob('backupVm', { vmId, vaultId: made.vaultId });
    if (state !== 'SUCCEEDED') {
      throw new Error(`a backup ended ${state}: ${JSON.stringify(error)}`);
    }
    await simulator.write(machine?.disks[0]?.uuid ?? '', MIB, 64 * 1024, 'a change');
  }
});

afterAll(async () => {
  await admin.end();
  await stage.stop();
  await database.drop();
});

async function rows<T>(statement: string, values: readonly unknown[] = []): Promise<T[]> {
  return (await admin.query<{ row: T }>(statement, [...values])).rows.map(({ row }) => row);
}

async function rebuild(): Promise<RebuiltVault> {
  const { databaseUrl, keysFolder } = stage.workerOptions;
  const outcomes: unknown[] = [];
  expect(await listVaultKeys(keysFolder)).toEqual([vault]);
  await rebuildCatalogs({ databaseUrl, keysFolder }, [vault], (_, outcome) => outcomes.push(outcome));
  expect(outcomes).toMatchObject([{ damaged: [], foreign: [] }]);
  return outcomes[0] as RebuiltVault;
}

async function openVault(): Promise<Repository> {
  const { tenantId, vaultId: repositoryId } = vault;
  const keyRing = new FileKeyRing(join(stage.workerOptions.keysFolder, 'tenants'));
  const leases = new MemoryLeases(systemClock);
  const store = new DirectoryStore(folder);
  return await openRepository({ store, keyRing, leases, clock: systemClock, tenantId, repositoryId, workers: 1 });
}

it('puts every row of a vault back from the vault alone, and fences what began before', async () => {
  const [points, disks] = [await rows<object>(POINTS), await rows<object>(DISKS)];
  expect([points.length, disks.length]).toEqual([3, 5]);
  await using repository = await openVault();
  const late = { sessionId: randomUUID(), pointId: randomUUID(), purpose: 'backup' as const, pins: [] };
  await repository.beginSession(late);

  await admin.query('begin');
  await admin.query('set local session_replication_role = replica');
  await admin.query('delete from app.restore_point');
  await admin.query('delete from app.restore_point_disk');
  const [lost] = await rows<string>(
    `delete from app.vm where id = (select id from app.vm order by id limit 1) returning id as row`,
  );
  await admin.query('commit');
  const rebuilt = await rebuild();
  expect(rebuilt).toMatchObject({ points: 3, added: 3, removed: 0, kept: 0, vms: 1, epoch: 1 });
  expect(await rows(POINTS)).toEqual(points);
  expect(await rows(DISKS)).toEqual(disks);
  const [vm] = await rows<object>('select to_jsonb(v) as row from app.vm v where id = $1', [lost]);
  expect(vm).toMatchObject({ tenant_id: vault.tenantId, released_at: expect.any(String) });

  const commit = { ...late, vmId: 'vm', takenAt: 1, disks: [], config: new Uint8Array(0), info: {} };
  await expect(repository.commitPoint(commit)).rejects.toMatchObject({ code: 'SESSION_FENCED' });
  await repository.endSession(late.sessionId);
});

it('again it adds nothing, and takes rows away that the vault does not know', async () => {
  const points = await rows<{ id: string }>(POINTS);
  const stray = randomUUID();
  await admin.query(
    `insert into app.restore_point select (jsonb_populate_record(p, jsonb_build_object('id', $1::text))).*
     from app.restore_point p limit 1`,
    [stray],
  );
  expect(await rebuild()).toMatchObject({ added: 0, removed: 1, kept: 0, vms: 0, epoch: 2 });
  expect(await rows(POINTS)).toEqual(points);
  const audited = await rows<object>(
    `select detail as row from app.audit_entry where action = 'rebuildCatalog' order by id`,
  );
  expect(audited).toEqual([
    { added: 3, removed: 0, kept: 0, vms: 1 },
    { added: 0, removed: 1, kept: 0, vms: 0 },
  ]);
  const [stored] = await rows<string>('select stored_bytes as row from app.vault');
  await using repository = await openVault();
  expect(Number(stored)).toBe((await repository.stats()).storedBytes);
});
