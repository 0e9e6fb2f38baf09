import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ActivityLog } from './activity-log.ts';
import { replace } from './certificates/certificate-store.ts';
import { Faults } from './faults.ts';
import { exportRawVdi } from './handlers/export-raw-vdi.ts';
import { importRawVdi } from './handlers/import-raw-vdi.ts';
import { HostServer } from './http/host-server.ts';
import { Routes } from './http/routes.ts';
import { loadDataModel } from './model/data-model.ts';
import { NbdServer } from './nbd/nbd-server.ts';
import { allDetached } from './pool/attachment.ts';
import { type PoolPlan, buildPool } from './pool/build-pool.ts';
import type { Host } from './pool/host.ts';
import type { Pool } from './pool/pool.ts';
import { addRpcRoutes } from './rpc/rpc-handlers.ts';
import type { Settings } from './settings.ts';

export interface SimulatorPlan {
  readonly folder: string;
  readonly pools: readonly PoolPlan[];
  /** 0 takes a free one. */
  readonly port: number;
  readonly nbdPort: number;
  readonly settings: Settings;
}

/** Everything that is simulated, listening. */
export class Simulator {
  readonly pools: readonly Pool[];
  readonly log = new ActivityLog();
  readonly faults = new Faults();
  /** The web port of every host. */
  port = 0;
  readonly #plan: SimulatorPlan;
  readonly #routes = new Routes();
  readonly #stops: (() => Promise<void>)[] = [];

  constructor(plan: SimulatorPlan) {
    this.#plan = plan;
    // Disks of an earlier run belong to objects that are gone; certificates stay.
    rmSync(join(plan.folder, 'disks'), { recursive: true, force: true });
    mkdirSync(plan.folder, { recursive: true });
    const parts = { model: loadDataModel(), settings: plan.settings, log: this.log, faults: this.faults };
    this.pools = plan.pools.map((each) => buildPool({ ...parts, name: each.name }, each, plan.folder));
    addRpcRoutes(this.#routes);
    this.#routes.add('PUT', '/import_raw_vdi', importRawVdi).add('GET', '/export_raw_vdi', exportRawVdi);
  }

  get hosts(): readonly { readonly pool: Pool; readonly host: Host }[] {
    return this.pools.flatMap((pool) => pool.hosts.map((host) => ({ pool, host })));
  }

  async listen(): Promise<void> {
    for (const { pool, host } of this.hosts) {
      await this.#listen(pool, host);
    }
  }

  url(host: Host): string {
    return `https://${host.address}:${this.port}`;
  }

  changeCertificate(host: Host): void {
    host.certificate = replace(join(this.#plan.folder, 'certificates'), host.dnsName, host.address);
    host.useCertificate(host.certificate);
  }

  async close(): Promise<void> {
    this.faults.clear();
    await Promise.all(this.#stops.map(async (stop) => await stop()));
    await allDetached();
    for (const pool of this.pools) {
      for (const { store } of pool.repositories.values()) {
        await store.close();
      }
    }
  }

  async #listen(pool: Pool, host: Host): Promise<void> {
    const web = new HostServer(() => ({ pool, host, port: this.port }), this.#routes);
    const nbd = new NbdServer(pool, host);
    this.port = await web.listen(this.port === 0 ? this.#plan.port : this.port);
    host.nbdPort = await nbd.listen(this.#plan.nbdPort);
    host.useCertificate = (certificate) => {
      web.useCertificate(certificate);
    };
    host.stop = async () => {
      setAlive(pool, host, false);
      await Promise.all([web.close(), nbd.close()]);
    };
    host.restart = async () => {
      await web.listen(this.port);
      await nbd.listen(host.nbdPort);
      setAlive(pool, host, true);
      if (host === pool.coordinator) {
        pool.sessions.closeAll();
      }
    };
    this.#stops.push(host.stop);
  }
}

function setAlive(pool: Pool, host: Host, alive: boolean): void {
  host.alive = alive;
  pool.db.set('host_metrics', pool.db.text('host', host.ref, 'metrics'), { live: alive });
}
