import { Presets, SingleBar } from 'cli-progress';
import { formatBytes } from '../../kernel/bytes.ts';

/** Results go to standard output, all that happens on the way to standard error. */
export interface Terminal {
  print(line: string): void;
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
  print: (line) => process.stdout.write(`${line}\n`),
  tell: (line) => process.stderr.write(`${line}\n`),
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

/** Columns as wide as their widest cell. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
