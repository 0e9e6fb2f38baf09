import { Presets, SingleBar } from 'cli-progress';
import { formatBytes } from '../../kernel/bytes.ts';
import { visibleCell, visibleLine, visibleText, visibleJson } from './visible-text.ts';

/** Results go to standard output, all that happens on the way to standard error. */
export interface Terminal {
  /** One line; what is no visible character is shown as its number. */
  print(line: string): void;
  /** Of many lines, otherwise the same. */
  printText(text: string): void;
  printJson(value: unknown): void;
  tell(line: string): void;
  /** Of bytes. */
  progress(title: string): Progress;
  /** Of things that are counted. */
  counter(title: string, what: string): Progress;
}

export interface Progress {
  readonly show: (done: number, total: number) => void;
  readonly end: () => void;
}

export const terminal: Terminal = {
  print: (line) => process.stdout.write(`${visibleLine(line)}\n`),
  printText: (text) => process.stdout.write(`${visibleText(text)}\n`),
  printJson: (value) => process.stdout.write(`${visibleJson(value)}\n`),
  tell: (line) => process.stderr.write(`${visibleLine(line)}\n`),
  progress: (title) => progress(title, formatBytes),
  counter: (title, what) => progress(title, (count) => `${count} ${what}`),
};

function progress(title: string, inWords: (amount: number) => string): Progress {
  return process.stderr.isTTY ? bar(title, inWords) : lines(title, inWords);
}

function bar(title: string, inWords: (amount: number) => string): Progress {
  const format = `${title}  {bar} {percentage} %  {done} of {all}  {eta_formatted} left`;
  const drawn = new SingleBar({ format, hideCursor: true, etaBuffer: 100 }, Presets.shades_classic);
  let started = false;
  return {
    show: (done, all) => {
      const words = { done: inWords(done), all: inWords(all) };
      if (!started) {
        drawn.start(Math.max(all, 1), done, words);
        started = true;
      }
      drawn.update(done, words);
    },
    end: () => {
      if (started) {
        drawn.stop();
      }
    },
  };
}

/** One line for each tenth. */
function lines(title: string, inWords: (amount: number) => string): Progress {
  let told = 0;
  return {
    show: (done, all) => {
      const tenth = all === 0 ? 0 : Math.floor((done / all) * 10);
      if (tenth > told) {
        told = tenth;
        terminal.tell(`${title}: ${tenth * 10} %, ${inWords(done)} of ${inWords(all)}`);
      }
    },
    end: () => {
      told = 0;
    },
  };
}

/** Columns as wide as their widest cell. All but the last are cut where they are too long to be read beside others. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const shown = rows.map((row) => row.map((cell, i) => (i === row.length - 1 ? visibleLine(cell) : visibleCell(cell))));
  const widths: number[] = [];
  for (const row of shown) {
    row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, cell.length)));
  }
  return shown.map((row) =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}
