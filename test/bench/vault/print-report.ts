import { PEER_NAMES } from '../../../scripts/obtain-peers.ts';
import { HOLDFAST } from './holdfast-side.ts';
import { cellOf, type Report } from './report.ts';
import { ROWS, type RowName } from './side.ts';

type Figure = 'seconds' | 'cpuSeconds' | 'peakBytes' | 'bytesAdded' | 'bytesStored';

const FIGURES: readonly {
  readonly figure: Figure;
  readonly title: string;
  readonly scale: number;
  readonly digits: number;
}[] = [
  { figure: 'seconds', title: 'seconds: median (lowest to highest)', scale: 1, digits: 2 },
  { figure: 'cpuSeconds', title: 'processor seconds', scale: 1, digits: 1 },
  { figure: 'peakBytes', title: 'memory at its peak, MB', scale: 1e6, digits: 0 },
  { figure: 'bytesAdded', title: 'bytes added, MB', scale: 1e6, digits: 1 },
  { figure: 'bytesStored', title: 'bytes stored after it, MB', scale: 1e6, digits: 0 },
];

/** As Markdown. */
export function printReport(report: Report): string {
  const tables = FIGURES.map(({ figure, title, scale, digits }) => {
    const columns = [HOLDFAST, ...PEER_NAMES, ...(figure === 'seconds' ? ['bound', 'share'] : [])];
    const rows = ROWS.filter((row) => report.cells[HOLDFAST]?.[row] !== undefined).map((row) => {
      const cells = [HOLDFAST, ...PEER_NAMES].map((side) => cellText(report, side, row, { figure, scale, digits }));
      return [row, ...cells, ...(figure === 'seconds' ? boundTexts(report, row) : [])];
    });
    return [`${title}\n`, toTable(['', ...columns], rows)].join('\n');
  });
  const missing = Object.entries(report.missing).map(([side, reason]) => `${side}: no column, ${reason}`);
  const checks = report.checks.map(({ what, ours, limit, holds }) => [
    holds ? 'holds' : 'FAILS',
    what,
    ours.toFixed(3),
    limit.toFixed(3),
  ]);
  return [...tables, ...missing, toTable(['', 'what', 'ours ×', 'at most'], checks)].join('\n\n');
}

function cellText(
  report: Report,
  side: string,
  row: RowName,
  { figure, scale, digits }: { readonly figure: Figure; readonly scale: number; readonly digits: number },
): string {
  const spread = cellOf(report.cells, side, row)?.[figure];
  if (spread === undefined) {
    return '–';
  }
  const text = (value: number): string => (value / scale).toFixed(digits);
  const range = figure === 'seconds' && spread.runs > 1 ? ` (${text(spread.min)}–${text(spread.max)})` : '';
  return `${text(spread.median)}${range}`;
}

function boundTexts(report: Report, row: RowName): string[] {
  const bound = report.boundSeconds[row];
  const ours = report.cells[HOLDFAST]?.[row]?.seconds.median;
  return bound === undefined || ours === undefined
    ? ['–', '–']
    : [bound.toFixed(2), `${Math.round((100 * bound) / ours)} %`];
}

function toTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0), 3));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}
