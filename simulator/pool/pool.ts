import type { ActivityLog } from '../activity-log.ts';
import type { Faults } from '../faults.ts';
import { Database } from '../model/database.ts';
import type { DataModel } from '../model/data-model.ts';
import type { Settings } from '../settings.ts';
import type { ChangedBlocks } from '../storage/changed-blocks.ts';
import type { Store } from '../storage/store.ts';
import type { Volume } from '../storage/volume.ts';
import { XapiError } from '../xapi-error.ts';
import type { Host } from './host.ts';
import { Sessions } from './sessions.ts';
import { Tasks } from './tasks.ts';

/** Where one SR keeps its disks, and what it knows about changed blocks. */
export interface Repository {
  readonly store: Store;
  readonly tracking: ChangedBlocks;
}

export interface PoolParts {
  readonly name: string;
  readonly model: DataModel;
  readonly settings: Settings;
  readonly log: ActivityLog;
  readonly faults: Faults;
}

/** One pool: its objects, its hosts, its storage, who is logged in and what runs. */
export class Pool {
  readonly name: string;
  readonly db: Database;
  readonly settings: Settings;
  readonly log: ActivityLog;
  readonly faults: Faults;
  readonly sessions: Sessions;
  readonly tasks: Tasks;
  readonly hosts: Host[] = [];
  readonly repositories = new Map<string, Repository>();
  /** Content by VDI reference; disks whose data was destroyed have none. */
  readonly volumes = new Map<string, Volume>();
  #coordinator = 0;

  constructor(parts: PoolParts) {
    this.name = parts.name;
    this.settings = parts.settings;
    this.log = parts.log;
    this.faults = parts.faults;
    this.db = new Database(parts.model);
    this.sessions = new Sessions(this.db);
    this.tasks = new Tasks(this.db);
  }

  get ref(): string {
    return this.db.refs('pool')[0] ?? '';
  }

  get uuid(): string {
    return this.db.text('pool', this.ref, 'uuid');
  }

  get coordinator(): Host {
    const host = this.hosts[this.#coordinator];
    if (host === undefined) {
      throw new Error(`the pool ${this.name} has no hosts`);
    }
    return host;
  }

  /** Another host takes over; sessions die with the old coordinator. */
  promote(host: Host): void {
    this.#coordinator = this.hosts.indexOf(host);
    this.sessions.closeAll();
    this.db.set('pool', this.ref, { master: host.ref });
  }

  hostByRef(ref: string): Host {
    const host = this.hosts.find((each) => each.ref === ref);
    if (host === undefined) {
      throw new XapiError('HANDLE_INVALID', ['host', ref]);
    }
    return host;
  }

  repositoryOf(vdi: string): Repository {
    const repository = this.repositories.get(this.db.text('VDI', vdi, 'SR'));
    if (repository === undefined) {
      throw new XapiError('SR_OPERATION_NOT_SUPPORTED', [this.db.text('VDI', vdi, 'SR')]);
    }
    return repository;
  }

  volumeOf(vdi: string): Volume {
    const volume = this.volumes.get(vdi);
    if (volume === undefined) {
      throw new XapiError('VDI_MISSING', [this.db.text('VDI', vdi, 'SR'), vdi]);
    }
    return volume;
  }

  /** A VDI by reference or UUID, as the data handlers take it. */
  findVdi(refOrUuid: string): string | undefined {
    return this.db.has('VDI', refOrUuid) ? refOrUuid : this.db.findByUuid('VDI', refOrUuid);
  }

  /** Whether a host has the SR plugged. */
  sees(host: Host, sr: string): boolean {
    return this.db
      .rows('PBD')
      .some(([, pbd]) => pbd['host'] === host.ref && pbd['SR'] === sr && pbd['currently_attached'] === true);
  }
}
