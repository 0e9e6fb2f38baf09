import type { PointSummary, Repository } from '../../engine/index.ts';
import { formatBytes } from '../../kernel/bytes.ts';
import { count } from './count.ts';
import { describeDamage } from './describe-damage.ts';
import { EXIT } from './exit-codes.ts';
import { showTime } from './show-time.ts';
import { table, type Terminal } from './terminal.ts';

/** A line for every disk of every restore point, oldest first. */
export async function listPoints(repository: Repository, terminal: Terminal): Promise<number> {
  const damaged: string[] = [];
  const points: PointSummary[] = [];
  const found = repository.listPoints({
    onDamaged: (pointId, error) => {
      damaged.push(describeDamage(pointId, error));
    },
  });
  for await (const point of found) {
    points.push(point);
  }
  for await (const { message } of repository.listLostPoints()) {
    damaged.push(message);
  }
  points.sort((a, b) => a.takenAt - b.takenAt);
  if (points.length === 0) {
    terminal.print(damaged.length === 0 ? 'The vault has no restore points.' : 'No restore point can be read.');
    await tellUnled(repository, terminal);
  } else {
    table([['RESTORE POINT', 'TAKEN (UTC)', 'VM', 'DISK', 'SIZE', 'BYTES'], ...points.flatMap(toRows)]).forEach(
      (line) => terminal.print(line),
    );
  }
  damaged.forEach((line) => terminal.tell(line));
  return damaged.length === 0 ? EXIT.done : EXIT.damaged;
}

/** Left over from points that were deleted, or what is left of a vault that lost its points. */
async function tellUnled(repository: Repository, terminal: Terminal): Promise<void> {
  const { dataPacks } = await repository.stats();
  if (dataPacks > 0) {
    terminal.tell(
      `There are ${count(dataPacks, 'data pack')} all the same. If nobody deleted the points: is all of the vault there?`,
    );
  }
}

function toRows(point: PointSummary): string[][] {
  const { pointId, vmId, takenAt, disks, info } = point;
  const vmName = info['vmName'];
  const head = [pointId, showTime(takenAt, 'minute'), typeof vmName === 'string' && vmName !== '' ? vmName : vmId];
  const rows = disks.map(({ diskKey, sizeBytes }) => [...head, diskKey, formatBytes(sizeBytes), String(sizeBytes)]);
  return rows.length === 0 ? [[...head, '-', '-', '-']] : rows;
}
