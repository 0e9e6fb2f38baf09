import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SEEDS = process.env['HOLDFAST_MODEL_SEEDS'] ?? '2000';
const FIRST = process.env['HOLDFAST_MODEL_FIRST_SEED'] ?? '1000';
const SCHEDULE_SEEDS = process.env['HOLDFAST_SCHEDULE_SEEDS'] ?? '20';

async function run(spec: string, env: Readonly<Record<string, string>>): Promise<number | null> {
  const child = spawn('npx', ['vitest', 'run', `src/engine/collect/${spec}`], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: 'inherit',
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code;
}

test.each([
  ['the collection model', 'model.spec.ts'],
  ['the collection model on a store that fails', 'model-faults.spec.ts'],
])(`%s, seeds from ${FIRST} on, ${SEEDS} of them`, async (_, spec) => {
  const code = await run(spec, {
    HOLDFAST_MODEL_FIRST_SEED: FIRST,
    HOLDFAST_MODEL_SEEDS: SEEDS,
    HOLDFAST_MODEL_STEPS: process.env['HOLDFAST_MODEL_STEPS'] ?? '1500',
    HOLDFAST_MODEL_TIMEOUT_MS: '1700000',
  });
  expect(code).toBe(0);
});

test.each([
  ['the schedules of collection', 'model-schedules.spec.ts'],
  ['the schedules of a store that fails', 'model-fault-schedules.spec.ts'],
])(`%s, ${SCHEDULE_SEEDS} orders of identifiers each`, async (_, spec) => {
  const code = await run(spec, {
    HOLDFAST_SCHEDULE_SEEDS: SCHEDULE_SEEDS,
    HOLDFAST_MODEL_TIMEOUT_MS: '1700000',
  });
  expect(code).toBe(0);
});
