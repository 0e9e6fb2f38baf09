import { Presets, SingleBar } from 'cli-progress';
import { bytes } from './format.ts';

export interface Advance {
  readonly phase: string;
  readonly bytesDone: number;
  readonly bytesTotal: number;
  readonly bytesPerSecond: number;
}

export interface Progress {
  show(advance: Advance): void;
  end(): void;
}

/** A line that moves. It appears with the first news, since a job may end before there are any. */
export function progressBar(): Progress {
  const bar = new SingleBar(
    { format: '  {bar} {percentage} %  {done} of {all}  {rate}/s  {phase}', hideCursor: true, clearOnComplete: true },
    Presets.shades_classic,
  );
  let started = false;
  return {
    show: (advance) => {
      const { bytesDone, bytesTotal, bytesPerSecond, phase } = advance;
      const words = { done: bytes(bytesDone), all: bytes(bytesTotal), rate: bytes(bytesPerSecond), phase };
      if (!started) {
        bar.start(Math.max(bytesTotal, 1), bytesDone, words);
        started = true;
        return;
      }
      bar.setTotal(Math.max(bytesTotal, 1));
      bar.update(bytesDone, words);
    },
    end: () => {
      if (started) {
        bar.stop();
      }
    },
  };
}

/** One line for each quarter of the way. */
export function progressLines(say: (text: string) => void): Progress {
  let told = 0;
  return {
    show: ({ bytesDone, bytesTotal, bytesPerSecond }) => {
      const quarter = bytesTotal === 0 ? 0 : Math.floor((bytesDone / bytesTotal) * 4);
      if (quarter > told) {
        told = quarter;
        say(
          `${Math.floor((bytesDone / bytesTotal) * 100)} %: ${bytes(bytesDone)} of ${bytes(bytesTotal)}, ${bytes(bytesPerSecond)}/s`,
        );
      }
    },
    end: () => {
      told = 0;
    },
  };
}
