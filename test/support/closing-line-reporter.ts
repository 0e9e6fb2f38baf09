import { writeFileSync, writeSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

/** Names the file into which the line goes instead, where somebody else prints it after everything. */
export const CLOSING_LINE_FILE = 'HOLDFAST_CLOSING_LINE_FILE';
/** Of a run that never came to its end. */
export const NEVER_ENDED = '0 passed, 1 failed';

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** Counts tests; a file that could not be collected, or an error outside of any test, counts as one that failed. */
export function countTests(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): Counts {
  const counts: Counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
  for (const module of modules) {
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      counts[state === 'passed' || state === 'failed' ? state : 'skipped'] += 1;
    }
    counts.failed += module.errors().length;
    for (const suite of module.children.allSuites()) {
      counts.failed += suite.errors().length;
    }
  }
  return counts;
}

/** The line that CI reads. A run that failed without any failed test still counts one. */
export function closingLine({ passed, failed, skipped }: Counts, exitCode: number): string {
  const failures = failed === 0 && exitCode !== 0 ? 1 : failed;
  return `${passed} passed, ${failures} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/** Prints `N passed, N failed` alone on the very last line. */
export default class ClosingLineReporter implements Reporter {
  #counts: Counts | undefined;

  onInit(): void {
    process.once('exit', (exitCode) => {
      // A run that ended without having come to its end has failed, whatever its exit code says.
      const code = this.#counts === undefined ? Math.max(exitCode, 1) : exitCode;
      process.exitCode = code;
      const line = this.#counts === undefined ? NEVER_ENDED : closingLine(this.#counts, code);
      const file = process.env[CLOSING_LINE_FILE];
      if (file === undefined) {
        writeSync(1, `${line}\n`);
      } else {
        writeFileSync(file, line);
      }
    });
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    this.#counts = countTests(modules, unhandledErrors);
  }
}
