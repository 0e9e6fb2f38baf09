import type { BlockRun } from '../chunking/plan-windows.ts';
import type { ManifestEntry, SegmentRun } from './segment-record.ts';

/** All entries of one segment, in order, from its first block on. */
export type SegmentTable = readonly ManifestEntry[];

/** An entry, with where it lies in its segment, in blocks. */
export interface PlacedEntry extends BlockRun {
  readonly isHole: boolean;
  readonly entry: ManifestEntry;
}

export function placeEntries(table: readonly ManifestEntry[]): PlacedEntry[] {
  let at = 0;
  return table.map((entry) => {
    const start = at;
    at += entry.blocks;
    return { start, end: at, isHole: entry.chunk === null, entry };
  });
}

/** The entry that has a block; null past the table's end. */
export function entryAt(table: SegmentTable, block: number): PlacedEntry | null {
  let start = 0;
  for (const entry of table) {
    const end = start + entry.blocks;
    if (block < end) {
      return { start, end, isHole: entry.chunk === null, entry };
    }
    start = end;
  }
  return null;
}

/** Replaces what the runs cover. Runs begin and end where entries do, or past the table's end. */
export function applyRuns(table: SegmentTable, runs: readonly SegmentRun[]): SegmentTable {
  const result: ManifestEntry[] = [];
  let at = 0;
  let index = 0;
  const skip = (until: number, keep: boolean): void => {
    for (let entry = table[index]; entry !== undefined && at < until; entry = table[index]) {
      if (keep) {
        result.push(entry);
      }
      at += entry.blocks;
      index += 1;
    }
  };
  for (const run of runs) {
    skip(run.start, true);
    result.push(...run.entries);
    skip(run.end, false);
  }
  skip(Infinity, true);
  return result;
}

/** Cuts off what lies past a segment's end: a disk that shrank keeps older records of what it had there. */
export function truncateTable(table: SegmentTable, limit: number): SegmentTable {
  let blocks = 0;
  return table.filter((entry) => {
    blocks += entry.blocks;
    return blocks <= limit;
  });
}

export function tableBlocks(table: SegmentTable): number {
  let blocks = 0;
  for (const entry of table) {
    blocks += entry.blocks;
  }
  return blocks;
}
