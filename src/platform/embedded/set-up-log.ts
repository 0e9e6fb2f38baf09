import { systemClock, type Clock } from '../../kernel/clock.ts';

/** Where the lines of set-up go: a person at a terminal, or a log. */
export type SetUpLog = (line: string) => void;

export const setUpLogToStderr: SetUpLog = (line) => {
  process.stderr.write(`holdfast: ${line}\n`);
};

export function seconds(ms: number): string {
  return ms < 60_000
    ? `${(ms / 1000).toFixed(1)} s`
    : `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}

/** Does `work`, saying before what it does and after how long it took. */
export async function timedStep<T>(
  log: SetUpLog,
  what: string,
  work: () => Promise<T>,
  clock: Clock = systemClock,
): Promise<T> {
  log(`${what} …`);
  const began = clock.monotonic();
  const result = await work();
  log(`${what}: done in ${seconds(clock.monotonic() - began)}`);
  return result;
}
