import 'reflect-metadata';
import { join } from 'node:path';
import { Module, type DynamicModule, type NestApplicationOptions } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Patience } from '../../workflows/contract/index.ts';
import { ControlModule } from '../control/control.module.ts';
import { JobSettingsModule } from '../control/jobs/job-settings.module.ts';
import { StorageSettingsModule } from '../control/storage-targets/storage-settings.module.ts';
import { WebhookSettingsModule } from '../control/webhooks/webhook-settings.module.ts';
import { AuthModule } from '../platform/auth/auth.module.ts';
import { FirstStart } from '../platform/auth/first-start.ts';
import { ScopeModule } from '../platform/auth/scope.module.ts';
import type { AddressRange } from '../platform/config/readers.ts';
import { loadConfig, withServers, type ServiceConfig } from '../platform/config/config.ts';
import type { ServerTls } from '../platform/config/tls.ts';
import { DatabaseModule } from '../platform/database/database.module.ts';
import { FeedModule } from '../platform/feed/feed.module.ts';
import { HealthModule } from '../platform/health/health.module.ts';
import { LimitsModule } from '../platform/limits/limits.module.ts';
import type { RateLimits } from '../platform/limits/rate-limiter.ts';
import { NodesModule, PublicGraphqlModule } from '../platform/graphql/graphql.module.ts';
import { MutationsModule } from '../platform/mutations/mutations.module.ts';
import { PagingModule } from '../platform/paging/paging.module.ts';
import { runRole, type RunningRole } from '../platform/process/run-role.ts';
import { BodyModule } from '../platform/rest/body.module.ts';
import { serveOpenApi } from '../platform/rest/openapi.ts';
import { RestModule } from '../platform/rest/rest.module.ts';
import { SecretsModule } from '../platform/secrets/secrets.module.ts';
import { openProcessLog, processLog } from '../platform/telemetry/process-log.ts';
import { RequestLogModule } from '../platform/telemetry/request-log.module.ts';
import { TemporalClientModule, type TemporalOptions } from '../platform/temporal/temporal-client.module.ts';

export interface ApiOptions {
  readonly databaseUrl: string;
  readonly temporal: TemporalOptions;
  readonly keyFile: string;
  readonly host: string;
  readonly port: number;
  /** Plain HTTP unless given. */
  readonly tls?: ServerTls | undefined;
  /** Private address ranges that webhooks may be sent to; none unless given. */
  readonly webhookAllow?: readonly AddressRange[];
  /** None unless given. */
  readonly limits?: RateLimits;
  /** Reverse proxies that are believed; none unless given. */
  readonly trustedProxies?: readonly AddressRange[];
  /** Whether bytes are moved on this machine, so that storage can be looked at; not unless given. */
  readonly storageIsHere?: boolean;
  /** How long jobs try again what is unavailable. */
  readonly patience?: Patience;
}

/** About four minutes in all. */
const PATIENCE: Patience = { attempts: 10, firstDelayMs: 1_000 };

export interface RunningApi {
  readonly url: string;
  readonly app: NestExpressApplication;
  close(): Promise<void>;
}

@Module({})
class ApiProcess {
  static forRoot(options: ApiOptions): DynamicModule {
    const { databaseUrl, temporal, keyFile, webhookAllow = [], patience = PATIENCE } = options;
    return {
      module: ApiProcess,
      imports: [
        ScopeModule,
        DatabaseModule.forRoot({ url: databaseUrl, role: 'holdfast_api' }),
        TemporalClientModule.forRoot(temporal),
        JobSettingsModule.forRoot(patience),
        SecretsModule.forRoot({ keyFile }),
        NodesModule,
        PagingModule,
        MutationsModule,
        AuthModule,
        RequestLogModule,
        LimitsModule.forRoot(options.limits),
        BodyModule,
        HealthModule,
        RestModule,
        PublicGraphqlModule,
        FeedModule.forRoot({ databaseUrl }),
        WebhookSettingsModule.forRoot(webhookAllow),
        StorageSettingsModule.forRoot(options.storageIsHere ?? false),
        ControlModule,
      ],
    };
  }
}

/** GraphQL at /graphql, REST under /v1. */
export async function startApi(options: ApiOptions): Promise<RunningApi> {
  const app = await NestFactory.create<NestExpressApplication>(ApiProcess.forRoot(options), {
    abortOnError: false,
    bodyParser: false,
    ...toHttpsOptions(options.tls),
    logger: processLog(),
  });
  app.disable('x-powered-by');
  app.set(
    'trust proxy',
    (options.trustedProxies ?? []).map(({ address, prefix }) => `${address}/${prefix}`),
  );
  serveOpenApi(app);
  await app.listen(options.port, options.host);
  return { url: await app.getUrl(), app, close: async () => await app.close() };
}

function toHttpsOptions(tls: ServerTls | undefined): NestApplicationOptions {
  return tls === undefined ? {} : { httpsOptions: { cert: tls.certificate, key: tls.key } };
}

export function apiOptions(config: ServiceConfig): ApiOptions {
  const { database, temporal, api, limits, jobs, webhooks } = config;
  return {
    databaseUrl: database.url,
    temporal,
    keyFile: join(config.keysFolder, 'control.key'),
    host: api.host,
    port: api.port,
    tls: api.tls,
    trustedProxies: api.trustedProxies,
    limits,
    webhookAllow: webhooks.allow,
    patience: {
      attempts: jobs.retryAttempts,
      firstDelayMs: jobs.retryDelayMs,
      heartbeatTimeoutMs: jobs.heartbeatMs,
    },
  };
}

/** Says where it is; on a database without a provider, creates that and says its administrator's token, this once. */
export async function announce(api: RunningApi, config: ServiceConfig): Promise<RunningRole['ready']> {
  const first = await api.app.get(FirstStart, { strict: false }).createProvider(config.providerName);
  process.stdout.write(`Holdfast is up at ${api.url}\n`);
  if (first !== null) {
    process.stdout.write(`Administrator token, shown this once: ${first.token}\n`);
  }
  return { url: config.api.publicUrl ?? api.url, ...(first === null ? {} : { administratorToken: first.token }) };
}

if (import.meta.main) {
  await runRole({
    name: 'api',
    about: 'GraphQL at /graphql, REST under /v1',
    start: async () => {
      const config = withServers(loadConfig(process.env, 'api'));
      openProcessLog(config);
      const api = await startApi(apiOptions(config));
      return {
        ready: await announce(api, config),
        graceMs: config.shutdownGraceMs,
        stop: async () => await api.close(),
      };
    },
  });
}
