import type { Repository } from '../../engine/index.ts';
import { formatBytes } from '../../kernel/bytes.ts';
import { EXIT } from './exit-codes.ts';
import { table, type Terminal } from './terminal.ts';

export async function showStats(repository: Repository, terminal: Terminal): Promise<number> {
  const { storedBytes, dataPacks, metaPacks, points } = await repository.stats();
  let diskBytes = 0;
  let damaged = 0;
  const listed = repository.listPoints({
    onDamaged: () => {
      damaged += 1;
    },
  });
  for await (const { disks } of listed) {
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
  if (damaged > 0) {
    rows.push(['unreadable points', String(damaged)]);
  }
  table(rows).forEach((line) => terminal.print(line));
  return damaged === 0 ? EXIT.done : EXIT.damaged;
}
