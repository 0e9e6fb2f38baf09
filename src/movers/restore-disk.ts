import type { Repository } from '../engine/index.ts';
import { MIB } from '../kernel/bytes.ts';
import { AppError } from '../kernel/errors.ts';
import { RawImport } from '../xen/raw-import.ts';
import type { XapiConnection } from '../xen/xapi-connection.ts';
import { toImportSink } from './import-sink.ts';
import { readsAsZeros } from './placement.ts';
import type { MoverCall } from './port.ts';
import { atMostOnceASecond } from './progress.ts';
import type { DiskRestoreResult, RestoreDiskCommand } from './restore-commands.ts';
import { beginRestore } from './restore-session.ts';

/**
 * Fills one new disk. The pool confirms an import only as a whole, so a repeated attempt sends the disk again.
 * Throws SR_FULL, IMPORT_FAILED, VAULT_CORRUPT and others; the disk stays stamped for clean-up.
 */
export async function restoreDisk(
  connection: XapiConnection,
  repository: Repository,
  { jobId, restorePointId, disk }: RestoreDiskCommand,
  call: MoverCall,
): Promise<DiskRestoreResult> {
  const { signal } = call;
  await beginRestore(repository, jobId, restorePointId);
  const skipsHoles = await isEmpty(connection, disk.vdiUuid, signal);
  const stream = await RawImport.open(connection, { vdiUuid: disk.vdiUuid, jobId }, signal);
  const report = atMostOnceASecond(call.onProgress);
  try {
    const result = await repository.restoreDisk({
      sessionId: jobId,
      pointId: restorePointId,
      diskKey: disk.diskKey,
      sink: toImportSink(stream, skipsHoles),
      signal,
      onProgress: ({ settledBelow, sizeBytes, bytesWritten }) => {
        report({ bytesDone: settledBelow, bytesTotal: sizeBytes, bytesRead: bytesWritten, bytesStored: 0 });
      },
    });
    await stream.finish(signal);
    return {
      diskKey: disk.diskKey,
      vdiUuid: disk.vdiUuid,
      sizeBytes: result.sizeBytes,
      bytesWritten: stream.bytesWritten,
      bytesSkipped: result.sizeBytes - stream.bytesWritten,
    };
  } catch (error) {
    throw await explainFailure(connection, disk.vdiUuid, await stream.abort(error));
  }
}

/** Too little for the storage driver to go on with. */
const FULL_BELOW_BYTES = 32 * MIB;

/** XAPI says "I/O error" whatever the storage met; a full SR is told by its own numbers. */
async function explainFailure(connection: XapiConnection, vdiUuid: string, error: AppError): Promise<AppError> {
  if (error.code !== 'IMPORT_FAILED') {
    return error;
  }
  try {
    const vdi = await connection.getRecord('VDI', await connection.getRefByUuid('VDI', vdiUuid));
    await connection.call('SR.update', [vdi.SR]);
    const sr = await connection.getRecord('SR', vdi.SR);
    const freeBytes = sr.physical_size - sr.physical_utilisation;
    if (freeBytes >= FULL_BELOW_BYTES) {
      return error;
    }
    return new AppError('SR_FULL', `The storage repository ${sr.name_label} became full during a restore.`, {
      data: { srUuid: sr.uuid, freeBytes },
      cause: error,
    });
  } catch {
    // What the pool said first stands.
    return error;
  }
}

async function isEmpty(connection: XapiConnection, vdiUuid: string, signal: AbortSignal): Promise<boolean> {
  const vdiRef = await connection.getRefByUuid('VDI', vdiUuid, signal);
  const vdi = await connection.getRecord('VDI', vdiRef, signal);
  const sr = await connection.getRecord('SR', vdi.SR, signal);
  return readsAsZeros(sr.type);
}
