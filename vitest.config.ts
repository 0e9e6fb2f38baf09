import { defineConfig } from 'vitest/config';

/** Specs beside the source need no server; what needs one lies under test/, or says so in its name. */
const SYSTEM = ['test/**/*.spec.ts', 'src/**/*.system.spec.ts'];
const LONG = ['test/**/*.long.spec.ts'];

const system = {
  globalSetup: ['test/support/global-setup.ts'],
  testTimeout: 60_000,
  hookTimeout: 120_000,
};

export default defineConfig({
  test: {
    reporters: ['default', './test/support/closing-line-reporter.ts'],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['src/**/*.spec.ts', 'workflows/**/*.spec.ts', 'simulator/**/*.spec.ts', 'scripts/**/*.spec.ts'],
          exclude: SYSTEM,
          testTimeout: 20_000,
        },
      },
      { test: { name: 'system', include: SYSTEM, exclude: LONG, ...system } },
      { test: { name: 'long', include: LONG, ...system, testTimeout: 1_800_000 } },
    ],
  },
});
