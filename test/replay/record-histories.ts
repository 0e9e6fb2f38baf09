/**
 * Plays every scenario on a real Temporal server and keeps the histories. Run it (`npm run record:histories`) when a
 * workflow changes on purpose and no job that began under the old code can be running any more.
 */
import { WorkflowFailedError } from '@temporalio/client';
import { cacheFolder } from '../../src/platform/embedded/cache-folder.ts';
import { temporaryDataFolder } from '../../src/platform/embedded/data-folder.ts';
import { startEmbeddedEngines } from '../../src/platform/embedded/engines.ts';
import { setUpLogToStderr } from '../../src/platform/embedded/set-up-log.ts';
import type { TestTemporal } from '../support/test-temporal.ts';
import { controlQueue, siteQueue } from '../../workflows/contract/index.ts';
import { recordedControl, recordedSite, SITE_ID, type Recording } from '../workflows/recorded-activities.ts';
import { startHarness } from '../workflows/workflow-harness.ts';
import { writeHistory } from './history-file.ts';
import { SCENARIOS, type Scenario } from './scenarios.ts';

const NAMESPACE = 'holdfast-record';

async function record(scenario: Scenario, server: TestTemporal): Promise<void> {
  const recording: Recording = { calls: [], outcome: undefined };
  const site = { ...recordedSite(recording), ...scenario.site?.(recording) };
  const harness = await startHarness(
    server,
    recordedControl(recording, siteQueue(server.taskQueuePrefix, SITE_ID)),
    site,
  );
  try {
    const input = scenario.input();
    const handle = await harness.client.workflow.start(scenario.workflow, {
      workflowId: `${scenario.name}/${input.jobId}`,
      taskQueue: controlQueue(server.taskQueuePrefix),
      args: [input],
    });
    if (scenario.cancelAt !== undefined) {
      await waitForCall(recording, scenario.cancelAt);
      await handle.cancel();
    }
    await handle.result().catch(ignoreFailedWorkflow);
    const file = new URL(`histories/${scenario.name}.json`, import.meta.url);
    await writeHistory(file, await handle.fetchHistory());
    process.stdout.write(`${scenario.name}: ${recording.calls.length} activities\n`);
  } finally {
    await harness.stop();
  }
}

function ignoreFailedWorkflow(error: unknown): void {
  if (!(error instanceof WorkflowFailedError)) {
    throw error;
  }
}

async function waitForCall(recording: Recording, start: string): Promise<void> {
  while (!recording.calls.some((call) => call.startsWith(start))) {
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  }
}

const engines = await startEmbeddedEngines({
  dataFolder: await temporaryDataFolder(),
  temporary: true,
  postgres: false,
  temporal: true,
  namespace: NAMESPACE,
  cache: cacheFolder(process.env),
  path: process.env['PATH'] ?? '',
  log: setUpLogToStderr,
});
try {
  for (const scenario of SCENARIOS) {
    const address = engines.temporalAddress ?? '';
    await record(scenario, { address, namespace: NAMESPACE, taskQueuePrefix: `${scenario.name}/` });
  }
} finally {
  await engines.stop();
}
