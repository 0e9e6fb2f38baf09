import { z } from 'zod';
import { type NodeType, toGlobalId } from '../../kernel/global-id.ts';
import { bigIntView, defineView, idView } from '../../platform/wire/view.ts';
import { JOB_KINDS } from '../../../workflows/contract/index.ts';
import type { JobProgressRow } from './job-progress.entity.ts';
import { isFinished, JOB_STATES } from './job-state.ts';
import type { JobRow } from './job.entity.ts';

export const jobErrorView = defineView('JobError', {
  code: z.string(),
  message: z.string(),
  hint: z.string().nullable(),
});

export const jobProgressView = defineView('JobProgress', {
  phase: z.string(),
  bytesDone: bigIntView,
  bytesTotal: bigIntView,
  bytesPerSecond: bigIntView,
  secondsLeft: z.int().nullable(),
  updatedAt: z.date(),
});

export const jobResultView = defineView('JobResult', {
  restorePointId: idView('RestorePoint').nullable(),
  consistency: z.string().nullable(),
  sizeBytes: bigIntView.nullable(),
  bytesRead: bigIntView.nullable(),
  bytesStored: bigIntView.nullable(),
  bytesWritten: bigIntView.nullable(),
  restoredVmUuid: z.string().nullable(),
  restoredVmName: z.string().nullable(),
  vms: z.int().nullable(),
});

export const jobView = defineView('Job', {
  id: idView('Job'),
  tenantId: idView('Tenant'),
  kind: z.enum(JOB_KINDS),
  state: z.enum(JOB_STATES),
  vmId: idView('Vm').nullable(),
  poolId: idView('Pool').nullable(),
  vaultId: idView('Vault').nullable(),
  restorePointId: idView('RestorePoint').nullable(),
  replicationPlanId: idView('ReplicationPlan').nullable(),
  progress: jobProgressView.nullable(),
  result: jobResultView.nullable(),
  warnings: z.array(z.string()),
  error: jobErrorView.nullable(),
  createdAt: z.date(),
  startedAt: z.date().nullable(),
  finishedAt: z.date().nullable(),
  updatedAt: z.date(),
  version: z.int(),
});

export type JobView = z.infer<typeof jobView>;

/** A job with its progress, read together. */
export interface JobWithProgress {
  readonly job: JobRow;
  readonly progress: JobProgressRow | null;
}

export function toJobView({ job, progress }: JobWithProgress): JobView {
  return {
    __typename: 'Job',
    id: toGlobalId('Job', job.tenantId, job.id),
    tenantId: toGlobalId('Tenant', job.tenantId, job.tenantId),
    kind: job.kind,
    state: job.state,
    vmId: idOrNull('Vm', job.tenantId, job.vmId),
    poolId: idOrNull('Pool', job.tenantId, job.poolId),
    vaultId: idOrNull('Vault', job.tenantId, job.vaultId),
    restorePointId: idOrNull('RestorePoint', job.tenantId, job.restorePointId),
    replicationPlanId: idOrNull('ReplicationPlan', job.tenantId, job.replicationPlanId),
    progress: progress === null ? null : toProgressView(job, progress),
    result: toResultView(job),
    warnings: job.warnings,
    error:
      job.errorCode === null
        ? null
        : { __typename: 'JobError', code: job.errorCode, message: job.errorMessage ?? '', hint: job.errorHint },
    createdAt: job.createdAt,
    startedAt: job.startedAt,
    finishedAt: job.finishedAt,
    updatedAt: job.updatedAt,
    version: job.version,
  };
}

function toProgressView(job: JobRow, progress: JobProgressRow): z.infer<typeof jobProgressView> {
  const { phase, bytesDone, bytesTotal, updatedAt } = progress;
  const rate = isFinished(job.state) ? 0n : BigInt(progress.bytesPerSecond);
  const left = BigInt(bytesTotal) - BigInt(bytesDone);
  return {
    __typename: 'JobProgress',
    phase,
    bytesDone,
    bytesTotal,
    bytesPerSecond: rate.toString(),
    secondsLeft: rate > 0n && left >= 0n ? Number(left / rate) : null,
    updatedAt,
  };
}

function toResultView({ tenantId, state, result }: JobRow): z.infer<typeof jobResultView> | null {
  if (state !== 'SUCCEEDED' && state !== 'SUCCEEDED_WITH_WARNINGS') {
    return null;
  }
  return {
    __typename: 'JobResult',
    restorePointId: idOrNull('RestorePoint', tenantId, textOf(result['restorePointId'])),
    consistency: textOf(result['consistency']),
    sizeBytes: textOf(result['sizeBytes']),
    bytesRead: textOf(result['bytesRead']),
    bytesStored: textOf(result['bytesStored']),
    bytesWritten: textOf(result['bytesWritten']),
    restoredVmUuid: textOf(result['vmUuid']),
    restoredVmName: textOf(result['vmName']),
    vms: typeof result['vms'] === 'number' ? result['vms'] : null,
  };
}

function textOf(value: string | number | boolean | null | undefined): string | null {
  return value === null || value === undefined ? null : String(value);
}

function idOrNull(type: NodeType, tenantId: string, id: string | null): string | null {
  return id === null ? null : toGlobalId(type, tenantId, id);
}
