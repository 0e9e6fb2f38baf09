import { writeFile } from 'node:fs/promises';
import { bytes, seconds } from './console/format.ts';
import { table } from './console/table.ts';
import type { Teller } from './console/teller.ts';

/** What a step has to say for the table and the report. */
export interface Account {
  bytesRead: number | null;
  bytesStored: number | null;
  detail: string;
}

interface StepReport extends Account {
  readonly name: string;
  readonly ok: boolean;
  readonly seconds: number;
}

/** Runs the steps one after the other and keeps the books. The first one that doesn't hold ends the story. */
export class Story {
  readonly #steps: StepReport[] = [];
  readonly #teller: Teller;

  constructor(teller: Teller) {
    this.#teller = teller;
  }

  async step<T>(name: string, work: (account: Account) => Promise<T>): Promise<T> {
    this.#teller.chapter(name);
    const account: Account = { bytesRead: null, bytesStored: null, detail: '' };
    const begun = performance.now();
    const close = (ok: boolean, detail: string): void => {
      const took = (performance.now() - begun) / 1000;
      this.#steps.push({ ...account, detail, name, ok, seconds: Math.round(took * 1000) / 1000 });
      this.#teller.say(`${ok ? '✓' : '✗'} ${detail} (${seconds(took)})`);
    };
    try {
      const result = await work(account);
      close(true, account.detail);
      return result;
    } catch (error) {
      close(false, error instanceof Error ? error.message : String(error));
      throw error;
    }
  }

  get ok(): boolean {
    return this.#steps.length > 0 && this.#steps.every(({ ok }) => ok);
  }

  table(): string {
    const rows = this.#steps.map((step) => [
      step.ok ? '✓' : '✗',
      step.name,
      seconds(step.seconds),
      step.bytesRead === null ? '' : bytes(step.bytesRead),
      step.bytesStored === null ? '' : bytes(step.bytesStored),
    ]);
    return table([['', 'step', 'time', 'read', 'stored'], ...rows], [2, 3, 4]);
  }

  async writeReport(path: string, finished: boolean): Promise<void> {
    const report = { ok: finished && this.ok, steps: this.#steps };
    await writeFile(path, `${JSON.stringify(report, null, 2)}\n`);
  }
}

/** What the story claims has to hold. */
export function mustHold(holds: boolean, claim: string): void {
  if (!holds) {
    throw new Error(`does not hold: ${claim}`);
  }
}
