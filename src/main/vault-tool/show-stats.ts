import type { Repository } from '../../engine/index.ts';
import { formatBytes } from '../../kernel/bytes.ts';
import { EXIT } from './exit-codes.ts';
import { table, type Terminal } from './terminal.ts';

export async function showStats(repository: Repository, terminal: Terminal): Promise<number> {
  const { storedBytes, dataPacks, metaPacks, points, damagedPoints } = await repository.stats();
  let diskBytes = 0;
  // `damagedPoints` names them already.
  for await (const { disks } of repository.listPoints({ onDamaged: () => undefined })) {
    diskBytes += disks.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }
  const rows = [
    ['vault', repository.repositoryId],
    ['stored', `${formatBytes(storedBytes)} (${storedBytes} bytes)`],
    ['restore points', String(points)],
    ['their disks', `${formatBytes(diskBytes)} (${diskBytes} bytes)`],
    ['data packs', String(dataPacks)],
    ['meta packs', String(metaPacks)],
  ];
  if (damagedPoints.length > 0) {
    rows.push(['damaged points', damagedPoints.join(', ')]);
  }
  table(rows).forEach((line) => terminal.print(line));
  return damagedPoints.length === 0 ? EXIT.done : EXIT.damaged;
}
