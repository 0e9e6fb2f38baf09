import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** Specs beside the source need no server; what needs one lies under test/, or says so in its name. */
const SYSTEM = ['test/**/*.spec.ts', 'src/**/*.system.spec.ts'];
const LONG = ['test/**/*.long.spec.ts'];

/** Nothing is measured here: a limit only ends what hangs, and so leaves room for a machine that is busy otherwise. */
const limits = {
  testTimeout: 300_000,
  hookTimeout: 300_000,
  expect: { poll: { timeout: 120_000, interval: 50 } },
};
const system = { globalSetup: ['test/support/global-setup.ts'], ...limits };

/** Vite would take graphql's second, ESM build, while Nest and Apollo take the first: their types don't know each other. */
const resolve = { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] };

/** Specs start many processes and threads, which would each compile the same sources: with this only the first does. */
process.env['NODE_COMPILE_CACHE'] ??= fileURLToPath(new URL('node_modules/.cache/compiled', import.meta.url));

export default defineConfig({
  test: {
    // Most system tests wait for servers: one at a time would leave even two cores idle.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    reporters: ['default', './test/support/closing-line-reporter.ts'],
    projects: [
      {
        resolve,
        test: {
          name: 'unit',
          include: ['src/**/*.spec.ts', 'workflows/**/*.spec.ts', 'simulator/**/*.spec.ts', 'scripts/**/*.spec.ts'],
          exclude: SYSTEM,
          ...limits,
        },
      },
      { resolve, test: { name: 'system', include: SYSTEM, exclude: LONG, ...system } },
      { resolve, test: { name: 'long', include: LONG, ...system, testTimeout: 1_800_000 } },
    ],
  },
});
