import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SEEDS = process.env['HOLDFAST_MODEL_SEEDS'] ?? '5000';
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

test(`the collection model, seeds from ${FIRST} on, ${SEEDS} of them`, async () => {
  const code = await run('model.spec.ts', {
    HOLDFAST_MODEL_FIRST_SEED: FIRST,
    HOLDFAST_MODEL_SEEDS: SEEDS,
    HOLDFAST_MODEL_STEPS: process.env['HOLDFAST_MODEL_STEPS'] ?? '1500',
    HOLDFAST_MODEL_TIMEOUT_MS: '1700000',
  });
  expect(code).toBe(0);
});

test(`the schedules of collection, ${SCHEDULE_SEEDS} orders of identifiers each`, async () => {
  const code = await run('model-schedules.spec.ts', {
    HOLDFAST_SCHEDULE_SEEDS: SCHEDULE_SEEDS,
    HOLDFAST_MODEL_TIMEOUT_MS: '1700000',
  });
  expect(code).toBe(0);
});
