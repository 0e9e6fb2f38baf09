import type { PointDisk, PointSummary, Repository } from '../../engine/index.ts';
import { AppError } from '../../kernel/errors.ts';

/** The restore point with this id, or the only one whose id begins so. */
export async function findPoint(repository: Repository, beginning: string): Promise<PointSummary> {
  const found: PointSummary[] = [];
  const damaged: AppError[] = [];
  const points = repository.listPoints({
    onDamaged: (pointId, error) => {
      damaged.push(...(pointId.startsWith(beginning.toLowerCase()) ? [error] : []));
    },
  });
  for await (const point of points) {
    if (point.pointId.startsWith(beginning.toLowerCase())) {
      found.push(point);
    }
  }
  const [point, another] = found;
  if (point !== undefined && another === undefined) {
    return point;
  }
  if (point === undefined && damaged[0] !== undefined) {
    throw damaged[0];
  }
  throw point === undefined
    ? new AppError('NO_RESTORE_POINT', `The vault has no restore point ${beginning}.`, {
        hint: 'holdfast-vault list shows those that it has.',
      })
    : new AppError('BAD_INPUT', `${found.length} restore points begin with ${beginning}.`, {
        hint: `Give more of the id: ${found.map(({ pointId }) => pointId).join(', ')}.`,
      });
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
