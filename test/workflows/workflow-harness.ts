import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import {
  bundleWorkflowCode,
  NativeConnection,
  Runtime,
  Worker,
  type WorkflowBundleWithSourceMap,
} from '@temporalio/worker';
import {
  controlQueue,
  siteQueue,
  workflowIdOf,
  WORKFLOW_OF_KIND,
  type ControlActivities,
  type JobInput,
  type JobKind,
  type SiteActivities,
} from '../../workflows/contract/index.ts';
import { SITE_ID } from './recorded-activities.ts';
import type { TestTemporal } from '../support/test-temporal.ts';

export type AnyActivity = (input: never) => Promise<unknown>;
export type Activities = Record<string, AnyActivity>;

export interface Harness {
  readonly client: Client;
  readonly start: (kind: JobKind, input: JobInput) => ReturnType<Client['workflow']['start']>;
  readonly stop: () => Promise<void>;
}

const WORKFLOWS = fileURLToPath(new URL('../../workflows/index.ts', import.meta.url));

function nothing(): void {
  // What goes wrong fails a test; nobody reads the rest.
}

export const quietLogger = {
  log: nothing,
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
};

let bundle: Promise<WorkflowBundleWithSourceMap> | undefined;

/** Bundled once per test file. */
export async function workflowBundle(): Promise<WorkflowBundleWithSourceMap> {
  bundle ??= bundleWorkflowCode({ workflowsPath: WORKFLOWS, logger: quietLogger });
  return await bundle;
}

/** Workers of the control queue and of one site's, with the given activities, on a real Temporal server. */
export async function startHarness(
  { address, namespace, taskQueuePrefix }: TestTemporal,
  control: ControlActivities,
  site: SiteActivities,
): Promise<Harness> {
  installQuietRuntime();
  const connection = await NativeConnection.connect({ address });
  const clientConnection = await Connection.connect({ address });
  const client = new Client({ connection: clientConnection, namespace });
  const shared = { connection, namespace, workflowBundle: await workflowBundle(), shutdownGraceTime: 500 };
  const workers = [
    await Worker.create({ ...shared, taskQueue: controlQueue(taskQueuePrefix), activities: methodsOf(control) }),
    await Worker.create({
      connection,
      namespace,
      taskQueue: siteQueue(taskQueuePrefix, SITE_ID),
      activities: methodsOf(site),
      maxHeartbeatThrottleInterval: 100,
      shutdownGraceTime: 500,
    }),
  ];
  const running = workers.map(async (worker) => await worker.run());
  return {
    client,
    start: async (kind, input) =>
      await client.workflow.start(WORKFLOW_OF_KIND[kind], {
        workflowId: workflowIdOf(kind, input.jobId),
        taskQueue: controlQueue(taskQueuePrefix),
        args: [input],
      }),
    stop: async () => {
      for (const worker of workers) {
        worker.shutdown();
      }
      await Promise.all(running);
      await connection.close();
      await clientConnection.close();
    },
  };
}

function methodsOf(activities: ControlActivities | SiteActivities): Activities {
  return { ...activities };
}

let runtimeInstalled = false;

export function installQuietRuntime(): void {
  if (!runtimeInstalled) {
    const telemetryOptions = { logging: { filter: 'OFF', forward: {} } };
    Runtime.install({ shutdownSignals: [], logger: quietLogger, telemetryOptions });
    runtimeInstalled = true;
  }
}
