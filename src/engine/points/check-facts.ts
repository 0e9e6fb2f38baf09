import { KIB, MIB } from '../../kernel/bytes.ts';
import { AppError } from '../../kernel/errors.ts';
import type { CommitPointRequest } from './point-types.ts';

/** Milliseconds since the epoch to which a `Date` reaches, in both directions. */
const MAX_TIME_MS = 8.64e15;
/** Far above what any machine has: whoever reads a vault has to read all of them at once. */
const MAX_BYTES = { vmId: KIB, diskKey: KIB, info: MIB, config: 32 * MIB } as const;

/** BAD_INPUT where what a point says of itself is no time, or longer than its readers have to expect. */
export function checkFacts({ pointId, vmId, takenAt, disks, config, info }: CommitPointRequest): void {
  requireTime(pointId, takenAt);
  requireShort('vmId', Buffer.byteLength(vmId));
  disks.forEach(({ diskKey }) => requireShort('diskKey', Buffer.byteLength(diskKey)));
  requireShort('info', Buffer.byteLength(JSON.stringify(info)));
  requireShort('config', config.length);
}

function requireTime(pointId: string, time: number): void {
  if (!Number.isInteger(time) || Math.abs(time) > MAX_TIME_MS) {
    throw new AppError('BAD_INPUT', `Restore point ${pointId} can’t have been taken at ${time}, which is no time.`, {
      hint: 'Give whole milliseconds since the epoch.',
    });
  }
}

function requireShort(what: keyof typeof MAX_BYTES, bytes: number): void {
  if (bytes > MAX_BYTES[what]) {
    throw new AppError(
      'BAD_INPUT',
      `The ${what} of a restore point has ${bytes} bytes; ${MAX_BYTES[what]} are allowed.`,
      {
        hint: 'Leave out what a restore does not need.',
      },
    );
  }
}
