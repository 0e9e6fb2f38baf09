import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

const MEASURE = fileURLToPath(new URL('./measure.py', import.meta.url));
const SYSTEM_PYTHON = '/usr/bin/python3';

export interface Measured {
  readonly seconds: number;
  /** Of the program and its threads, in user and system mode. */
  readonly cpuSeconds: number;
  readonly peakBytes: number;
  /** What was not in the page cache any more: it should have been. */
  readonly deviceReadBytes: number;
  /** Of a comparison: whether its output was the file. */
  readonly same?: boolean;
}

export interface Order {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Its output is compared with this file instead of going nowhere. */
  readonly compareWith?: string;
}

/** Runs a program by itself; every side is measured by the same call of the kernel, `wait4`. */
export async function runMeasured(order: Order): Promise<Measured> {
  const compare = order.compareWith === undefined ? [] : ['--compare', order.compareWith];
  const child = spawn(SYSTEM_PYTHON, [MEASURE, ...compare, '--', order.file, ...order.args], {
    cwd: order.cwd,
    env: { PATH: process.env['PATH'] ?? '', LANG: 'C.UTF-8', HOME: order.cwd, ...order.env },
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
  });
  const endWithUs = (): void => void child.kill();
  process.once('exit', endWithUs);
  const said = text(child.stdio[3] as Readable);
  await once(child, 'close');
  process.off('exit', endWithUs);
  const outcome = JSON.parse(await said) as Measured & { readonly code: number; readonly said: string };
  if (outcome.code !== 0) {
    const what = [order.file, ...order.args].join(' ').slice(0, 200);
    throw new Error(`${what} ended with ${outcome.code}: ${outcome.said}`);
  }
  return outcome;
}
