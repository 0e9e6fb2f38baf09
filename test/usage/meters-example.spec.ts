import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { METERS } from '../../src/control/usage/meters.ts';
import { projectFile } from '../../src/platform/project-file.ts';
import { UsageBench } from './support/usage-bench.ts';

interface Story {
  readonly backups: readonly {
    readonly vm: string;
    readonly at: string;
    readonly sizeBytes: number;
    readonly storedAfter: number;
  }[];
  readonly restores: readonly { readonly at: string; readonly writtenBytes: number }[];
  readonly assignedAway: readonly { readonly vm: string; readonly at: string }[];
}

let bench: UsageBench;
let page: string;

beforeAll(async () => {
  bench = await UsageBench.start();
  page = await readFile(projectFile('docs/usage-meters.md'), 'utf8');
});
afterAll(async () => {
  await bench.stop();
});

/** What the page's last table says: a meter's name, then one number per window. */
function tableOf(text: string): Record<string, string[]> {
  const rows = text.slice(text.indexOf('The ledger then says:')).matchAll(/^\| `(\w+)` \| (\d+) \| (\d+) \|$/gm);
  return Object.fromEntries([...rows].map(([, meter = '', ...totals]) => [meter, totals]));
}

async function addVault(): Promise<string> {
  const target = randomUUID();
  const vault = randomUUID();
  await bench.rows(
    `insert into app.storage_target (tenant_id, id, name, kind, path) values ($1, $2, 'Disk', 'DIRECTORY', '/backup')`,
    [bench.tenantId, target],
  );
  await bench.rows(
    `insert into app.vault (tenant_id, id, name, storage_target_id, created_at) values ($1, $2, 'Vault', $3, $4)`,
    [bench.tenantId, vault, target, '2026-03-01T09:00:00Z'],
  );
  await bench.rows('truncate app.vault_size');
  return vault;
}

async function addVm(name: string): Promise<string> {
  const id = randomUUID();
  await bench.rows(
    `insert into app.vm (tenant_id, id, pool_owner_id, pool_id, pool_vm_id, name, power_state, memory_bytes, vcpus)
     values ($1, $2, $1, $3, $4, $5, 'RUNNING', 1, 1)`,
    [bench.tenantId, id, randomUUID(), randomUUID(), name],
  );
  return id;
}

/** Plays the story as the workers would have written it down, each thing at its time. */
async function play(story: Story): Promise<void> {
  const vault = await addVault();
  const vms = new Map<string, string>();
  for (const { vm, at, sizeBytes, storedAfter } of story.backups) {
    vms.set(vm, vms.get(vm) ?? (await addVm(vm)));
    const jobId = await bench.use({ meter: 'backed_up_bytes', quantity: BigInt(sizeBytes), at });
    await bench.use({ meter: 'backup_runs', quantity: 1n, at, jobId });
    await bench.rows(
      `insert into app.restore_point (tenant_id, id, vault_id, vm_id, job_id, vm_name, taken_at, method, consistency,
              size_bytes, read_bytes, stored_bytes, created_at)
       values ($1, $2, $3, $4, $5, $6, $7, 'ONLINE', 'CRASH', $8, 0, 0, $7)`,
      [bench.tenantId, randomUUID(), vault, vms.get(vm), jobId, vm, at, sizeBytes],
    );
    await bench.rows('update app.vault set stored_bytes = $2 where id = $1', [vault, storedAfter]);
    await bench.rows('update app.vault_size set since = $2 where vault_id = $1 and stored_bytes = $3', [
      vault,
      at,
      storedAfter,
    ]);
  }
  for (const { at, writtenBytes } of story.restores) {
    const jobId = await bench.use({ meter: 'restored_bytes', quantity: BigInt(writtenBytes), at });
    await bench.use({ meter: 'restore_runs', quantity: 1n, at, jobId });
  }
  for (const { vm, at } of story.assignedAway) {
    await bench.rows('update app.vm set released_at = $2 where id = $1', [vms.get(vm), at]);
  }
}

describe('docs/usage-meters.md', () => {
  it('describes every meter', () => {
    const described = [...page.matchAll(/^\| `(\w+)` \| \w+ \| [A-Z]/gm)].map(([, meter]) => String(meter));
    expect(described.toSorted()).toEqual([...METERS].toSorted());
  });

  it('has an example that the ledger agrees with', async () => {
    const story = JSON.parse(/```json story\n([^`]*)```/.exec(page)?.[1] ?? '') as Story;
    await bench.bornAt('2026-03-01T09:00:00Z');
    await play(story);
    expect(await bench.closeAt('2026-03-01T11:05:00Z')).toEqual({ windows: 2, corrections: 0 });
    const { items } = await bench.get<{ items: { meter: string; windowStart: string; total: string }[] }>(
      '/v1/usage/records?first=100',
    );
    const totals = Map.groupBy(
      items.toSorted((a, b) => a.windowStart.localeCompare(b.windowStart)),
      ({ meter }) => meter,
    );
    const ledger = Object.fromEntries([...totals].map(([meter, own]) => [meter, own.map(({ total }) => total)]));
    expect(Object.keys(ledger)).toHaveLength(METERS.length);
    expect(ledger).toEqual(tableOf(page));
  });
});
