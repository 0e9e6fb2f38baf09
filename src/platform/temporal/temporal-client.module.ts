import { Inject, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import { Client, Connection, makeGrpcRetryInterceptor } from '@temporalio/client';
import type { TemporalTls } from '../config/tls.ts';
import { EndingRetries } from './ending-retries.ts';
import { toTlsOption } from './tls-option.ts';

export interface TemporalOptions {
  readonly address: string;
  readonly namespace: string;
  /** Before the name of every task queue. */
  readonly taskQueuePrefix: string;
  /** Without TLS unless given. */
  readonly tls?: TemporalTls | undefined;
}

/** Injection token of `TemporalAccess`. */
export const TEMPORAL = Symbol('TEMPORAL');

export interface TemporalAccess {
  readonly client: Client;
  readonly taskQueuePrefix: string;
}

/** The process's one client of Temporal. It connects when it is first used: without Temporal the API still answers. */
@Module({})
export class TemporalClientModule implements OnApplicationShutdown {
  constructor(
    @Inject(TEMPORAL) private readonly temporal: TemporalAccess,
    private readonly retries: EndingRetries,
  ) {}

  static forRoot({ address, namespace, taskQueuePrefix, tls }: TemporalOptions): DynamicModule {
    const retries = new EndingRetries();
    const interceptors = [makeGrpcRetryInterceptor(retries)];
    const access = (): TemporalAccess => ({
      client: new Client({ connection: Connection.lazy({ address, interceptors, ...toTlsOption(tls) }), namespace }),
      taskQueuePrefix,
    });
    return {
      module: TemporalClientModule,
      global: true,
      providers: [
        { provide: TEMPORAL, useFactory: access },
        { provide: EndingRetries, useValue: retries },
      ],
      exports: [TEMPORAL],
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.retries.end();
    await this.temporal.client.connection.close();
  }
}
