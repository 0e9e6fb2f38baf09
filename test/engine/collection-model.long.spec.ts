import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SEEDS = process.env['HOLDFAST_MODEL_SEEDS'] ?? '5000';
const FIRST = process.env['HOLDFAST_MODEL_FIRST_SEED'] ?? '1000';

test(`the collection model, seeds from ${FIRST} on, ${SEEDS} of them`, async () => {
  const child = spawn('npx', ['vitest', 'run', 'src/engine/collect/model.spec.ts'], {
    cwd: ROOT,
    env: {
      ...process.env,
      HOLDFAST_MODEL_FIRST_SEED: FIRST,
      HOLDFAST_MODEL_SEEDS: SEEDS,
      HOLDFAST_MODEL_STEPS: process.env['HOLDFAST_MODEL_STEPS'] ?? '1500',
      HOLDFAST_MODEL_TIMEOUT_MS: '1700000',
    },
    stdio: 'inherit',
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  expect(code).toBe(0);
});
