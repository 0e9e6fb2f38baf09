import {
  Inject,
  Logger,
  Module,
  type BeforeApplicationShutdown,
  type DynamicModule,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Feed } from './feed.ts';
import { Live } from './live.ts';
import { listen } from './listen.ts';
import { openRoleDatabase } from './role-database.ts';
import type { RoleDatabase } from './sql.ts';

const FEED_DATABASE = Symbol('FEED_DATABASE');
const log = new Logger('Feed');

/** `Feed`, woken by what the relay NOTIFYs, for processes with subscribers. */
@Module({})
export class FeedModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #stop = new AbortController();
  #listening: Promise<void> | undefined;

  constructor(
    private readonly feed: Feed,
    @Inject(FEED_DATABASE) private readonly database: RoleDatabase,
  ) {}

  static forRoot(options: { readonly databaseUrl: string }): DynamicModule {
    const database = (): RoleDatabase =>
      openRoleDatabase({ url: options.databaseUrl, role: 'holdfast_api', poolSize: 1 });
    return {
      module: FeedModule,
      global: true,
      providers: [
        { provide: Feed, useFactory: () => new Feed() },
        Live,
        { provide: FEED_DATABASE, useFactory: database },
      ],
      exports: [Feed, Live],
    };
  }

  onApplicationBootstrap(): void {
    const onLost = (error: unknown): void => {
      log.warn({ message: 'The feed lost its connection; it is opened again.', err: error });
    };
    this.#listening = listen(this.database, this.feed, this.#stop.signal, { onLost });
  }

  /** Ends the streams first: the HTTP server waits for them. */
  async beforeApplicationShutdown(): Promise<void> {
    this.#stop.abort();
    this.feed.close();
    await this.#listening;
    await this.database.end();
  }
}
