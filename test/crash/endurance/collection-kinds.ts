import { Random } from '../../../src/engine/collect/testing/random.ts';
import { seedIdentifiers } from '../../../src/engine/collect/testing/seeded-identifiers.ts';
import type { Kind } from './kind.ts';
import { seedEngine } from './seeded-engine.ts';

const STEPS = 1500;

/** As `model.spec.ts` has it: the same seed is the same run. */
export async function collectionModel(): Promise<Kind> {
  seedEngine();
  const { runModel } = await import('../../../src/engine/collect/testing/run-model.ts');
  const tally = { runs: 0, steps: 0, points: 0, deletions: 0 };
  return {
    tally: () => ({ ...tally }),
    run: async (seed) => {
      seedIdentifiers(seed);
      const { points, deletions } = await runModel(new Random(seed + 1_000_000), STEPS);
      tally.runs += 1;
      tally.steps += STEPS;
      tally.points += points;
      tally.deletions += deletions;
    },
  };
}

/** As `model-faults.spec.ts` has it: the same, but that requests fail. */
export async function collectionFaults(): Promise<Kind> {
  seedEngine();
  const { runModel } = await import('../../../src/engine/collect/testing/run-model.ts');
  const tally = { runs: 0, steps: 0, points: 0, deletions: 0, failed: 0 };
  return {
    tally: () => ({ ...tally }),
    run: async (seed) => {
      seedIdentifiers(seed);
      const faults = new Random(seed + 2_000_000);
      const { points, deletions, failed } = await runModel(new Random(seed + 1_000_000), STEPS, { faults });
      tally.runs += 1;
      tally.steps += STEPS;
      tally.points += points;
      tally.deletions += deletions;
      tally.failed += failed;
    },
  };
}

/** As `model-fault-schedules.spec.ts` has it. */
export async function faultSchedules(): Promise<Kind> {
  seedEngine();
  const { runFaultSchedule } = await import('../../../src/engine/collect/testing/run-fault-schedule.ts');
  const { FAULT_SCHEDULES } = await import('../../../src/engine/collect/testing/fault-schedules.ts');
  const tally = { schedules: 0, runs: 0 };
  return {
    tally: () => ({ ...tally }),
    run: async (seed) => {
      for (const schedule of Object.values(FAULT_SCHEDULES)) {
        seedIdentifiers(seed);
        tally.runs += await runFaultSchedule(schedule, seed);
        tally.schedules += 1;
      }
    },
  };
}

/** As `model-schedules.spec.ts` has it. */
export async function collectionSchedules(): Promise<Kind> {
  seedEngine();
  const { runSchedule } = await import('../../../src/engine/collect/testing/run-schedule.ts');
  const { SCHEDULES } = await import('../../../src/engine/collect/testing/schedules.ts');
  const tally = { schedules: 0, runs: 0 };
  return {
    tally: () => ({ ...tally }),
    run: async (seed) => {
      for (const schedule of Object.values(SCHEDULES)) {
        seedIdentifiers(seed);
        tally.runs += await runSchedule(schedule, seed);
        tally.schedules += 1;
      }
    },
  };
}
