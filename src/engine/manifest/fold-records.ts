import type { SegmentRecord, SegmentRun } from './segment-record.ts';
import { placeEntries, type PlacedEntry } from './segment-table.ts';

/** The records of one layer for a group, and how many blocks each segment had then. */
export interface LayerRecords {
  readonly records: readonly SegmentRecord[];
  readonly blocksIn: (segment: number) => number;
}

/** One layer's records that say what those of several layers say, the oldest first. */
export function foldRecords(layers: readonly LayerRecords[]): SegmentRecord[] {
  const folded = new Map<number, readonly SegmentRun[]>();
  for (const { records, blocksIn } of layers) {
    for (const { segment, runs } of records) {
      folded.set(segment, replaceRuns(folded.get(segment) ?? [], runs));
    }
    for (const [segment, runs] of folded) {
      folded.set(segment, truncateRuns(runs, blocksIn(segment)));
    }
  }
  return [...folded]
    .filter(([, runs]) => runs.length > 0)
    .toSorted(([a], [b]) => a - b)
    .map(([segment, runs]) => ({ segment, runs }));
}

/** As a reader does it with a whole table: newer runs take the place of all entries that share a block with them. */
function replaceRuns(older: readonly SegmentRun[], newer: readonly SegmentRun[]): SegmentRun[] {
  const covered = ({ start, end }: PlacedEntry): boolean => newer.some((run) => start < run.end && end > run.start);
  const kept = older.flatMap(placeRun).filter((entry) => !covered(entry));
  return toRuns([...kept, ...newer.flatMap(placeRun)].toSorted((a, b) => a.start - b.start));
}

/** Without entries that end past a segment's end. */
function truncateRuns(runs: readonly SegmentRun[], limit: number): readonly SegmentRun[] {
  return runs.every(({ end }) => end <= limit)
    ? runs
    : toRuns(runs.flatMap(placeRun).filter(({ end }) => end <= limit));
}

function placeRun({ start, entries }: SegmentRun): PlacedEntry[] {
  return placeEntries(entries).map((entry) => ({ ...entry, start: start + entry.start, end: start + entry.end }));
}

/** Entries that follow each other make a run. */
function toRuns(entries: readonly PlacedEntry[]): SegmentRun[] {
  const runs: { start: number; end: number; entries: PlacedEntry['entry'][] }[] = [];
  for (const { start, end, entry } of entries) {
    const last = runs.at(-1);
    if (last?.end === start) {
      last.end = end;
      last.entries.push(entry);
    } else {
      runs.push({ start, end, entries: [entry] });
    }
  }
  return runs;
}
