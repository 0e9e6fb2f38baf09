import { type Progress, progressBar, progressLines } from './progress.ts';

/** Where the story is told: bars on a terminal, plain lines everywhere else. */
export class Teller {
  readonly #terminal = process.stdout.isTTY;

  chapter(title: string): void {
    process.stdout.write(`\n${this.#terminal ? `\u001b[1m${title}\u001b[0m` : title}\n`);
  }

  say(text: string): void {
    process.stdout.write(`  ${text}\n`);
  }

  print(text: string): void {
    process.stdout.write(`${text}\n`);
  }

  /** Of one job; end it when the job has ended. */
  progress(): Progress {
    return this.#terminal ? progressBar() : progressLines((text) => this.say(text));
  }
}
