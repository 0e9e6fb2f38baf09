import { AppError } from '../kernel/errors.ts';
import type { ByteRange, DiskProgress, DiskResult, Repository } from '../engine/index.ts';
import { readCapabilities } from '../xen/capabilities.ts';
import { listNbdExports } from '../xen/nbd-exports.ts';
import { NbdDisk } from '../xen/nbd/nbd-disk.ts';
import type { XapiConnection } from '../xen/xapi-connection.ts';
import type {
  BackupDiskCommand,
  DiskBackupResult,
  FullReadReason,
  SessionRef,
  SnapshottedDisk,
} from './backup-commands.ts';
import { choosePath, listChangesSince, readBase } from './choose-path.ts';
import type { MoverCall, MoverProgress } from './port.ts';
import { atMostOnceASecond } from './progress.ts';

type Changes =
  | { readonly changed: readonly ByteRange[]; readonly reason: null }
  | { readonly changed: null; readonly reason: FullReadReason };

/**
 * Reads one snapshotted disk over NBD into the vault: only what changed where the pool can tell since the base, else
 * all of it, with the reason. Repeated after an interruption it goes on from the vault's journal.
 */
export async function backupDisk(
  connection: XapiConnection,
  repository: Repository,
  command: BackupDiskCommand,
  call: MoverCall,
): Promise<DiskBackupResult> {
  const { disk, session } = command;
  const { signal } = call;
  await beginBackup(repository, session);
  const changes = await findChanges(connection, repository, command, signal);
  const source = await NbdDisk.open(
    { locate: async (locating) => listNbdExports(connection, disk.snapshotVdiUuid, locating) },
    signal,
  );
  try {
    if (source.sizeBytes !== disk.sizeBytes) {
      const sizes = `${source.sizeBytes} instead of ${disk.sizeBytes} bytes`;
      throw new AppError('NBD_FAILED', `NBD offers the disk ${disk.vdiUuid} with ${sizes}.`);
    }
    const stored = await store(repository, command, { source, changes, call });
    return toResult(disk, changes, stored, source.reconnects);
  } finally {
    await source.close();
  }
}

/** The session is announced before anything is read or written; again with the same content nothing happens. */
export async function beginBackup(repository: Repository, session: SessionRef): Promise<void> {
  await repository.beginSession({
    sessionId: session.sessionId,
    pointId: session.restorePointId,
    purpose: 'backup',
    pins: session.baseRestorePointId === null ? [] : [session.baseRestorePointId],
  });
}

async function store(
  repository: Repository,
  { session, disk }: BackupDiskCommand,
  { source, changes, call }: { readonly source: NbdDisk; readonly changes: Changes; readonly call: MoverCall },
): Promise<DiskResult> {
  const report = atMostOnceASecond(call.onProgress);
  const base =
    changes.changed === null || session.baseRestorePointId === null
      ? {}
      : {
          base: { pointId: session.baseRestorePointId, diskKey: disk.vdiUuid },
          changed: changes.changed,
          // The pool is asked for nothing but what changed; the vault is nearer.
          unchangedFrom: 'vault' as const,
        };
  return repository.writeDisk({
    sessionId: session.sessionId,
    diskKey: disk.vdiUuid,
    sizeBytes: disk.sizeBytes,
    source: {
      concurrency: 4,
      read: async (offset, into, signal) => source.read(offset, into, signal),
    },
    ...base,
    signal: call.signal,
    onProgress: (progress) => {
      report(toProgress(progress));
    },
  });
}

async function findChanges(
  connection: XapiConnection,
  repository: Repository,
  { session, disk, changedBlocks, plannedReason }: BackupDiskCommand,
  signal: AbortSignal,
): Promise<Changes> {
  const [base, capabilities] = await Promise.all([
    readBase(repository, session.baseRestorePointId),
    readCapabilities(connection, signal),
  ]);
  const choice = choosePath(base, disk, { wanted: changedBlocks, capabilities });
  if (choice.anchor === null) {
    const baseIsMissing = session.baseRestorePointId === null;
    return { changed: null, reason: (baseIsMissing ? plannedReason : null) ?? choice.reason };
  }
  const snapshot = { vdiUuid: disk.snapshotVdiUuid, sizeBytes: disk.sizeBytes };
  const answer = await listChangesSince(connection, choice.anchor, snapshot, signal);
  return 'changed' in answer ? { changed: answer.changed, reason: null } : { changed: null, reason: answer.reason };
}

function toProgress(progress: DiskProgress): MoverProgress {
  return {
    bytesDone: progress.doneBytes,
    bytesTotal: progress.sizeBytes,
    bytesRead: progress.bytesRead,
    bytesStored: progress.bytesStoredNew,
  };
}

function toResult(disk: SnapshottedDisk, changes: Changes, stored: DiskResult, reconnects: number): DiskBackupResult {
  const reason = stored.fellBackToFull ?? changes.reason;
  return {
    vdiUuid: disk.vdiUuid,
    sizeBytes: stored.sizeBytes,
    path: reason === null ? 'CHANGED_BLOCKS_NBD' : 'FULL_NBD',
    reason,
    bytesRead: stored.bytesRead,
    bytesChanged: stored.bytesChanged,
    bytesStored: stored.bytesStoredNew,
    reconnects,
    stored,
  };
}
