import type { TestProject } from 'vitest/node';
import { cacheFolder } from '../../src/platform/embedded/cache-folder.ts';
import { temporaryDataFolder } from '../../src/platform/embedded/data-folder.ts';
import { startEmbeddedEngines } from '../../src/platform/embedded/engines.ts';
import { setUpLogToStderr } from '../../src/platform/embedded/set-up-log.ts';
import { obtainVersitygw, type S3ServerFound } from './obtain-versitygw.ts';
import { createTemplate, type PostgresUrls } from './template-database.ts';

declare module 'vitest' {
  interface ProvidedContext {
    readonly postgresUrls: PostgresUrls;
    /** host:port of the run's Temporal server. */
    readonly temporalAddress: string;
    readonly temporalNamespace: string;
    /** The program of an S3 server for tests to run, or why there is none. */
    readonly s3Server: S3ServerFound;
    /** Process ids of the servers, for the tests that end or stop them. */
    readonly serverPids: Readonly<Record<string, number>>;
  }
}

const NAMESPACE = 'holdfast-test';

/** One PostgreSQL and one Temporal server for the whole run; the watchdog ends them even if the run is killed. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const obtaining = { cache: cacheFolder(process.env), path: process.env['PATH'] ?? '', log: setUpLogToStderr };
  const s3Server = await obtainVersitygw(obtaining);
  const engines = await startEmbeddedEngines({
    ...obtaining,
    dataFolder: await temporaryDataFolder(),
    temporary: true,
    postgres: true,
    temporal: true,
    namespace: NAMESPACE,
    postgresSettings: ['max_connections=300'],
  });
  try {
    const urlOf = engines.database?.server.urlOf ?? (() => '');
    const postgresUrls = { admin: urlOf(''), service: urlOf('', { name: 'holdfast_test', password: 'test' }) };
    await createTemplate(postgresUrls);
    project.provide('postgresUrls', postgresUrls);
    project.provide('temporalAddress', engines.temporalAddress ?? '');
    project.provide('temporalNamespace', NAMESPACE);
    project.provide('s3Server', s3Server);
    project.provide('serverPids', engines.pids);
    return async () => await engines.stop();
  } catch (error) {
    await engines.stop();
    throw error;
  }
}
