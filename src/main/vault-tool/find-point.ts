import type { PointDisk, PointSummary, Repository } from '../../engine/index.ts';
import { AppError } from '../../kernel/errors.ts';

/**
 * The restore point with this id, or the only one whose id begins so, damaged ones counted. Its own error if it is damaged,
 * NO_RESTORE_POINT if there is none, BAD_INPUT if there are more.
 */
export async function findPoint(repository: Repository, beginning: string): Promise<PointSummary> {
  const found = new Map<string, PointSummary | AppError>();
  const add = (pointId: string, what: PointSummary | AppError): void => {
    if (pointId.startsWith(beginning.toLowerCase())) {
      found.set(pointId, what);
    }
  };
  const damaged: [string, AppError][] = [];
  for await (const point of repository.listPoints({ onDamaged: (...of) => damaged.push(of) })) {
    add(point.pointId, point);
  }
  // One whose custody is damaged can be read all the same.
  damaged.filter(([pointId]) => !found.has(pointId)).forEach((of) => add(...of));
  const [only, another] = found.values();
  if (another !== undefined) {
    throw new AppError('BAD_INPUT', `${found.size} restore points begin with ${beginning}.`, {
      hint: `Give more of the id: ${[...found.keys()].join(', ')}.`,
    });
  }
  if (only instanceof AppError) {
    throw only;
  }
  if (only === undefined) {
    await requireNotLost(repository, beginning);
    throw new AppError('NO_RESTORE_POINT', `The vault has no restore point ${beginning}.`, {
      hint: 'holdfast-vault list shows those that it has.',
    });
  }
  return only;
}

async function requireNotLost(repository: Repository, beginning: string): Promise<void> {
  for await (const { pointId, message } of repository.listLostPoints()) {
    if (pointId.startsWith(beginning.toLowerCase())) {
      throw new AppError('NO_RESTORE_POINT', message, {
        hint: 'It can be restored once its object is back; verify says more.',
      });
    }
  }
}

export function findDisk({ pointId, disks }: PointSummary, diskKey: string | undefined): PointDisk {
  const found = diskKey === undefined && disks.length === 1 ? disks[0] : disks.find((disk) => disk.diskKey === diskKey);
  if (found === undefined) {
    const what = diskKey === undefined ? `has ${disks.length} disks` : `has no disk ${diskKey}`;
    throw new AppError('BAD_INPUT', `Restore point ${pointId} ${what}.`, {
      hint: `Choose with --disk: ${disks.map((disk) => disk.diskKey).join(', ')}.`,
    });
  }
  return found;
}
