import { isGrpcServiceError } from '@temporalio/client';
import { NativeConnection, Runtime, Worker, type WorkflowBundleOption } from '@temporalio/worker';
import { AppError, isAppError, toAppError } from '../../kernel/errors.ts';
import type { TemporalTls } from '../config/tls.ts';
import type { TenantScope } from '../auth/tenant-scope.ts';
import { temporalLog } from '../telemetry/temporal-log.ts';
import { ActivityScopeInterceptor } from './activity-scope.interceptor.ts';
import type { ActivityFunction } from './bind-activities.ts';
import { toTlsOption } from './tls-option.ts';

export interface WorkerHostOptions {
  readonly address: string;
  readonly namespace: string;
  /** Without TLS unless given. */
  readonly tls?: TemporalTls | undefined;
  /** How long activities that are in progress get to end by themselves, in milliseconds. */
  readonly graceMs: number;
}

export interface WorkerSpec {
  readonly taskQueue: string;
  readonly activities: Readonly<Record<string, ActivityFunction>>;
  /** A path to the workflows' source, or a bundle made of it; none where the queue has activities only. */
  readonly workflows?: { readonly workflowsPath: string } | { readonly workflowBundle: WorkflowBundleOption };
  readonly maxActivities?: number;
}

const HEARTBEAT_AT_MOST_EVERY_MS = 1_000;

let installed = false;

/** The process ends when Nest says so; Temporal's runtime must not race it for the signals. */
function installRuntime(): void {
  if (!installed) {
    Runtime.install({ shutdownSignals: [], logger: temporalLog() });
    installed = true;
  }
}

/** The Temporal workers of one process on one connection. */
export class WorkerHost {
  readonly #running = new Map<string, { readonly worker: Worker; readonly ended: Promise<void> }>();
  readonly #failed = Promise.withResolvers<string>();

  private constructor(
    private readonly connection: NativeConnection,
    private readonly options: WorkerHostOptions,
    private readonly scope: TenantScope,
  ) {}

  static async connect(options: WorkerHostOptions, scope: TenantScope): Promise<WorkerHost> {
    installRuntime();
    const { address, tls } = options;
    try {
      const connection = await NativeConnection.connect({ address, ...toTlsOption(tls) });
      await assertNamespace(connection, options);
      return new WorkerHost(connection, options, scope);
    } catch (cause) {
      if (isAppError(cause)) {
        throw cause;
      }
      const message = `Temporal does not answer at ${address}: ${toAppError(cause).message}`;
      throw new AppError('TEMPORAL_UNAVAILABLE', message, { cause });
    }
  }

  /** Settles when a worker ends although nobody asked it to; the process must not go on as if nothing had happened. */
  get failed(): Promise<string> {
    return this.#failed.promise;
  }

  /** Starts polling a queue; a queue that is polled already is left alone. */
  async poll(spec: WorkerSpec): Promise<void> {
    if (this.#running.has(spec.taskQueue)) {
      return;
    }
    const worker = await Worker.create({
      connection: this.connection,
      namespace: this.options.namespace,
      taskQueue: spec.taskQueue,
      activities: spec.activities,
      ...spec.workflows,
      ...(spec.maxActivities === undefined ? {} : { maxConcurrentActivityTaskExecutions: spec.maxActivities }),
      // A cancellation arrives with the answer to a heartbeat, so these must not be held back for long.
      maxHeartbeatThrottleInterval: HEARTBEAT_AT_MOST_EVERY_MS,
      shutdownGraceTime: this.options.graceMs,
      shutdownForceTime: this.options.graceMs + 5_000,
      interceptors: {
        activity: [(context) => ({ inbound: new ActivityScopeInterceptor(context, this.scope) })],
      },
    });
    const ended = worker.run().catch((error: unknown) => {
      this.#failed.resolve(`The worker of ${spec.taskQueue} failed: ${String(error)}`);
    });
    this.#running.set(spec.taskQueue, { worker, ended });
  }

  /** Stops polling one queue, once what is in progress has ended. */
  async leave(taskQueue: string): Promise<void> {
    const running = this.#running.get(taskQueue);
    if (running !== undefined) {
      this.#running.delete(taskQueue);
      running.worker.shutdown();
      await running.ended;
    }
  }

  /** Drains every worker, then closes the connection. */
  async close(): Promise<void> {
    await Promise.all([...this.#running.keys()].map(async (taskQueue) => await this.leave(taskQueue)));
    await this.connection.close();
  }
}

const GRPC_NOT_FOUND = 5;

/** A worker of a namespace that isn't there can't be made, and its queue can't be polled by this process any more. */
async function assertNamespace(connection: NativeConnection, { address, namespace }: WorkerHostOptions): Promise<void> {
  try {
    await connection.workflowService.describeNamespace({ namespace });
  } catch (cause) {
    await connection.close();
    const code: number | undefined = isGrpcServiceError(cause) ? cause.code : undefined;
    if (code !== GRPC_NOT_FOUND) {
      throw cause;
    }
    throw new AppError('TEMPORAL_UNAVAILABLE', `Temporal at ${address} has no namespace ${namespace}.`, {
      cause,
      hint: `Make it (temporal operator namespace create --namespace ${namespace}), or name another one in TEMPORAL_NAMESPACE.`,
    });
  }
}
