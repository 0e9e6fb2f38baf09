import { join } from 'node:path';
import type { Teller } from '../console/teller.ts';
import type { SimulatorReady } from '../clients/simulator.ts';
import { type Program, type ProgramSpec, startProgram } from './program.ts';

/** What `npm start` runs. */
export const SERVICE = 'dist/src/main/standalone.js';

export interface ServiceReady {
  readonly url: string;
  /** Shown once, by the first start. */
  readonly administratorToken: string;
}

/** What every program of one demo has in common. */
export type Run = Pick<ProgramSpec, 'folder' | 'keep' | 'interrupt'>;

export interface Programs {
  readonly simulator: Program<SimulatorReady>;
  readonly service: Program<ServiceReady>;
}

/** Two pools, and Holdfast with all its roles, on a PostgreSQL and a Temporal server of its own. */
export async function startAll(run: Run, teller: Teller): Promise<Programs> {
  const { folder } = run;
  const simulator = await startProgram<SimulatorReady>({
    name: 'simulator',
    script: 'simulator/main.ts',
    args: ['--data', join(folder, 'simulator')],
    ...run,
    readyWithinMs: 60_000,
  });
  teller.say(`simulator: pools ${simulator.ready.pools.map(({ name, url }) => `${name} at ${url}`).join(', ')}`);
  try {
    const service = await startProgram<ServiceReady>({
      name: 'service',
      script: SERVICE,
      ...run,
      // A machine that has no Temporal server yet may have to build one.
      readyWithinMs: 20 * 60_000,
      env: {
        HOLDFAST_DATA: join(folder, 'data'),
        HOLDFAST_KEYS: undefined,
        HOLDFAST_API_PORT: '0',
        HOLDFAST_HOST: '127.0.0.1',
        HOLDFAST_PUBLIC_URL: undefined,
        DATABASE_URL: undefined,
        DATABASE_ADMIN_URL: undefined,
        HOLDFAST_TASK_QUEUE_PREFIX: `demo-${process.pid}/`,
        // The billing system of this story listens on this machine.
        HOLDFAST_WEBHOOK_ALLOW: '127.0.0.0/8',
      },
      onLine: (line) => {
        if (line.startsWith('holdfast: ')) {
          teller.say(line.slice('holdfast: '.length));
        }
      },
    });
    teller.say(`Holdfast: ${service.ready.url}`);
    return { simulator, service };
  } catch (error) {
    await simulator.stop();
    throw error;
  }
}
