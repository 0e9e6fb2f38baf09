import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { addTally, type Tally } from './kind.ts';
import type { Slice } from './run-kind.ts';

const PROGRAM = fileURLToPath(new URL('./run-kind.ts', import.meta.url));
/** A process reports and ends after so long, and whatever seed it has begun. */
const SLICE_MS = 60_000;
/** No seed takes nearly as long. */
const STUCK_MS = 15 * 60_000;

/** What was done of one kind so far. */
export interface Progress {
  readonly name: string;
  readonly first: number;
  next: number;
  ms: number;
  tally: Tally;
  findings: number;
  /** Why there is nothing to be done. */
  reason: string | null;
}

export function newProgress(name: string, first: number): Progress {
  return { name, first, next: first, ms: 0, tally: {}, findings: 0, reason: null };
}

/** Kinds one after the other, each in processes of its own, so that each gets about the same time. */
export class Line {
  readonly #kinds: readonly Progress[];
  readonly #tell: (line: string) => void;
  #child: ChildProcess | null = null;

  constructor(kinds: readonly Progress[], tell: (line: string) => void) {
    this.#kinds = kinds;
    this.#tell = tell;
  }

  async run(until: () => number): Promise<void> {
    // So that a short search has time for each of them.
    const sliceMs = Math.min(SLICE_MS, (until() - performance.now()) / this.#kinds.length);
    while (performance.now() < until()) {
      const [kind] = this.#kinds.filter(({ reason }) => reason === null).toSorted((a, b) => a.ms - b.ms);
      if (kind === undefined) {
        return;
      }
      const began = performance.now();
      await this.#advance(kind, Math.min(sliceMs, until() - began));
      kind.ms += performance.now() - began;
    }
  }

  /** After the seed that it is at. */
  stop(): void {
    this.#child?.kill('SIGTERM');
  }

  async #advance(kind: Progress, ms: number): Promise<void> {
    const { name, next } = kind;
    const args = [PROGRAM, name, '--seed', String(next), '--seeds', '1000000', '--seconds', String(ms / 1000)];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
    this.#child = child;
    const stuck = setTimeout(() => child.kill('SIGKILL'), ms + STUCK_MS);
    const [printed, [code, signal]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    clearTimeout(stuck);
    this.#child = null;
    const slice = parse(printed);
    if (slice === null) {
      kind.findings += 1;
      kind.reason = `it ended with ${String(signal ?? code)} at seed ${next} or later`;
      this.#tell(`${name}: ${kind.reason}`);
    } else if ('reason' in slice) {
      kind.reason = slice.reason;
      this.#tell(`${name} is left out: ${slice.reason}`);
    } else {
      kind.next += slice.seeds;
      kind.tally = addTally(kind.tally, slice.tally);
      kind.findings += slice.findings.length;
      this.#tell(`${name}: seeds ${next} to ${kind.next - 1}: ${JSON.stringify(slice.tally)}`);
      slice.findings.forEach((seed) => this.#tell(`FOUND by ${name}; again: ${repeat(name, seed)}`));
    }
  }
}

function repeat(name: string, seed: number): string {
  return `node test/crash/endurance/run-kind.ts ${name} --seed ${seed}`;
}

/** Null where a process did not come to its end. */
function parse(printed: string): Slice | null {
  const last = printed.trimEnd().split('\n').at(-1) ?? '';
  try {
    return JSON.parse(last) as Slice;
  } catch (error) {
    if (error instanceof SyntaxError) {
      return null;
    }
    throw error;
  }
}
