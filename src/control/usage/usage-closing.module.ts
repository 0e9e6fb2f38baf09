import {
  Inject,
  Logger,
  Module,
  type BeforeApplicationShutdown,
  type DynamicModule,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { systemClock } from '../../kernel/clock.ts';
import { openRoleDatabase } from '../../platform/feed/role-database.ts';
import type { RoleDatabase } from '../../platform/feed/sql.ts';
import { Wake } from '../../platform/feed/wake.ts';
import { closePeriods } from './period-closing.ts';
import { loadOrCreateSigner } from './signing-key-file.ts';
import { UsageCloserService } from './usage-closer.service.ts';
import { closeUsage } from './usage-closing.ts';
import { UsagePeriodCloserService } from './usage-period-closer.service.ts';
import { UsageSigner } from './usage-signature.ts';

export interface UsageClosingSettings {
  readonly databaseUrl: string;
  /** PEM file of the key that signs the ledger; made where there is none. */
  readonly keyFile: string;
  readonly windowMs: number;
  readonly graceMs: number;
  /** How long after its end a month waits for corrections before it is final; three days unless given. */
  readonly periodGraceMs?: number;
}

const CLOSING_DATABASE = Symbol('CLOSING_DATABASE');
const CLOSING_SETTINGS = Symbol('CLOSING_SETTINGS');
const PERIOD_GRACE_MS = 3 * 86_400_000;
const MOST_PAUSE_MS = 60_000;
const LEAST_PAUSE_MS = 1_000;
const log = new Logger('UsageClosing');

/** The window closer, for worker processes. Any number of them may run it: the tenant's cursor lets one act. */
@Module({})
export class UsageClosingModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;

  constructor(
    private readonly closer: UsageCloserService,
    private readonly periods: UsagePeriodCloserService,
    private readonly signer: UsageSigner,
    @Inject(CLOSING_DATABASE) private readonly database: RoleDatabase,
    @Inject(CLOSING_SETTINGS) private readonly settings: UsageClosingSettings,
  ) {}

  static forRoot(settings: UsageClosingSettings): DynamicModule {
    const database = (): RoleDatabase =>
      openRoleDatabase({ url: settings.databaseUrl, role: 'holdfast_worker', poolSize: 1 });
    return {
      module: UsageClosingModule,
      providers: [
        { provide: CLOSING_SETTINGS, useValue: settings },
        { provide: CLOSING_DATABASE, useFactory: database },
        { provide: UsageSigner, useFactory: async () => await loadOrCreateSigner(settings.keyFile) },
        UsageCloserService,
        UsagePeriodCloserService,
      ],
    };
  }

  onApplicationBootstrap(): void {
    this.#running = this.#run(this.#stop.signal);
  }

  /** Before the module that it writes through closes its connections. */
  async beforeApplicationShutdown(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await this.database.end();
  }

  async #run(signal: AbortSignal): Promise<void> {
    const pause = new Wake();
    const pauseMs = Math.max(LEAST_PAUSE_MS, Math.min(MOST_PAUSE_MS, this.settings.windowMs / 10));
    const onError = (error: unknown): void => {
      log.error({ message: 'A usage window could not be closed; it is tried again.', err: error });
    };
    while (!signal.aborted) {
      try {
        await publishKey(this.database, this.signer);
        const round = { periodGraceMs: PERIOD_GRACE_MS, ...this.settings, clock: systemClock, onError };
        await closeUsage(this.database, this.closer, round);
        await closePeriods(this.database, this.periods, round);
      } catch (error) {
        onError(error);
      }
      await pause.wait(pauseMs, signal);
    }
  }
}

/** Lets everybody check what this key signs. */
export async function publishKey(database: RoleDatabase, signer: UsageSigner): Promise<void> {
  await database.query(
    'insert into app.usage_signing_key (key_id, public_key) values ($1, $2) on conflict do nothing',
    [signer.keyId, signer.publicKey],
  );
}
