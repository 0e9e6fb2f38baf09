import type { CopyProgress, PointDisk } from '../../engine/index.ts';
import type { Progress } from './terminal.ts';

/** Shows the progress of disks that are copied one after the other as that of all of them. */
export function diskProgress(disks: readonly PointDisk[], progress: Progress): (of: CopyProgress) => void {
  const sum = (some: readonly PointDisk[]): number => some.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
  const all = sum(disks);
  return ({ diskKey, doneBytes }) => {
    const before = disks.slice(
      0,
      disks.findIndex((disk) => disk.diskKey === diskKey),
    );
    progress.show(sum(before) + doneBytes, all);
  };
}
