import { buildGoProgram } from './go-program.ts';
import type { SetUpLog } from './set-up-log.ts';
import { TEMPORAL_CLI_VERSION } from './temporal-program.ts';

/** Builds the `temporal` program with `go`, into `target`: about five minutes on two cores the first time. */
export async function buildTemporal(go: string, target: string, log: SetUpLog): Promise<void> {
  const program = {
    title: `Temporal ${TEMPORAL_CLI_VERSION}`,
    goPackage: `github.com/temporalio/cli/cmd/temporal@v${TEMPORAL_CLI_VERSION}`,
    file: 'temporal',
    takes: 'about five minutes',
  };
  await buildGoProgram(go, program, target, log);
}
