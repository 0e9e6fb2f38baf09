import { startProgram, type Program } from './program.ts';

/** A pool as the simulator's ready file names it. */
export interface SimulatedPool {
  readonly uuid: string;
  readonly name: string;
  /** The coordinator's. */
  readonly url: string;
  readonly hosts: readonly string[];
  readonly username: string;
  readonly password: string;
  /** The coordinator's, as PEM. */
  readonly certificate: string;
}

export interface SimulatorReady {
  /** URL of the endpoint through which a test lets guests write, orders faults and reads the log. */
  readonly control: string;
  readonly pools: readonly SimulatedPool[];
}

/** A simulator of the test's own, as a process; its options are those of `npm run simulator -- --help`. */
export async function startSimulator(args: readonly string[] = []): Promise<Program<SimulatorReady>> {
  return await startProgram<SimulatorReady>({ script: 'simulator/main.ts', args });
}
