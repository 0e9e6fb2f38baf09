import { PEER_NAMES } from '../../../scripts/obtain-peers.ts';
import { median } from '../bench-row.ts';
import type { PrimitiveCosts } from '../engine-bound.ts';
import { boundSeconds } from './bounds.ts';
import { FLOORS, MEMORY_CEILING_BYTES, type Floor } from './floors.ts';
import { HOLDFAST } from './holdfast-side.ts';
import type { Results } from './rounds.ts';
import { ROWS, type RowMeasure, type RowName } from './side.ts';

const FLOOR_PEERS = { restic: 'restic 0.14', borg: 'borg 1.2' } as const;
const SECONDS_ROWS = new Set(ROWS);

interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly runs: number;
}

interface Cell {
  readonly seconds: Spread;
  readonly cpuSeconds: Spread;
  readonly peakBytes: Spread;
  readonly bytesAdded: Spread;
  readonly bytesStored: Spread;
}

export interface Check {
  readonly what: string;
  readonly ours: number;
  readonly limit: number;
  readonly holds: boolean;
}

export interface Report {
  readonly imageBytes: number;
  readonly cells: Readonly<Record<string, Partial<Record<RowName, Cell>>>>;
  /** By side: why its column is empty. */
  readonly missing: Readonly<Record<string, string>>;
  readonly boundSeconds: Partial<Record<RowName, number>>;
  readonly checks: readonly Check[];
}

export function toReport(
  results: Results,
  costs: readonly PrimitiveCosts[],
  run: { readonly imageBytes: number; readonly missing: Readonly<Record<string, string>> },
): Report {
  const cells: Record<string, Partial<Record<RowName, Cell>>> = {};
  for (const [side, rows] of results) {
    cells[side] = Object.fromEntries(
      [...rows].filter(([, measures]) => measures.length > 0).map(([row, measures]) => [row, toCell(measures)]),
    );
  }
  const bounds: Partial<Record<RowName, number>> = {};
  for (const row of ROWS) {
    const storedBytes = cells[HOLDFAST]?.[row]?.bytesStored.median ?? 0;
    const each = costs.flatMap((cost) => boundSeconds(row, cost, { imageBytes: run.imageBytes, storedBytes }) ?? []);
    if (each.length > 0) {
      bounds[row] = median(each);
    }
  }
  return {
    ...run,
    cells,
    boundSeconds: bounds,
    checks: [...checkFloors(cells), ...checkFastest(cells), ...checkMemory(cells)],
  };
}

/** A peer that has no quick way to check is compared by the one it has. */
export function cellOf(cells: Report['cells'], side: string, row: RowName): Cell | undefined {
  const own = cells[side]?.[row];
  return own === undefined && row === 'verify tags' ? cells[side]?.['verify deep'] : own;
}

function checkFloors(cells: Report['cells']): Check[] {
  return FLOORS.flatMap((floor) =>
    (['restic', 'borg'] as const).flatMap((peer) => checkFloor(cells, floor, peer) ?? []),
  );
}

function checkFloor(cells: Report['cells'], { row, figure, against }: Floor, peer: 'restic' | 'borg'): Check | null {
  const ours = cellOf(cells, HOLDFAST, row)?.[figure].median;
  const theirs = cellOf(cells, FLOOR_PEERS[peer], row)?.[figure].median;
  if (ours === undefined || theirs === undefined) {
    return null;
  }
  const what = `${row}: ${figure === 'seconds' ? 'time' : 'bytes added'} against ${FLOOR_PEERS[peer]}`;
  return { what, ours: ours / theirs, limit: against[peer], holds: ours / theirs <= against[peer] };
}

function checkFastest(cells: Report['cells']): Check[] {
  return [...SECONDS_ROWS].flatMap((row) => {
    const ours = cellOf(cells, HOLDFAST, row)?.seconds.median;
    const theirs = PEER_NAMES.flatMap((peer) => {
      const seconds = cellOf(cells, peer, row)?.seconds.median;
      return seconds === undefined ? [] : [{ peer, seconds }];
    }).toSorted((a, b) => a.seconds - b.seconds)[0];
    if (ours === undefined || theirs === undefined) {
      return [];
    }
    const ratio = ours / theirs.seconds;
    return [{ what: `${row}: time against the fastest peer, ${theirs.peer}`, ours: ratio, limit: 1, holds: ratio < 1 }];
  });
}

function checkMemory(cells: Report['cells']): Check[] {
  const peaks = ROWS.flatMap((row) => cells[HOLDFAST]?.[row]?.peakBytes.max ?? []);
  const ratio = Math.max(0, ...peaks) / MEMORY_CEILING_BYTES;
  return [{ what: 'memory at its peak, against 450 MB', ours: ratio, limit: 1, holds: ratio <= 1 }];
}

function toCell(measures: readonly RowMeasure[]): Cell {
  const spread = (of: (measure: RowMeasure) => number): Spread => {
    const values = measures.map(of);
    return { median: median(values), min: Math.min(...values), max: Math.max(...values), runs: values.length };
  };
  return {
    seconds: spread((m) => m.seconds),
    cpuSeconds: spread((m) => m.cpuSeconds),
    peakBytes: spread((m) => m.peakBytes),
    bytesAdded: spread((m) => m.bytesAdded),
    bytesStored: spread((m) => m.bytesStored),
  };
}
