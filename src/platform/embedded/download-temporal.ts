import { readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { withPartFolder } from './part-folder.ts';
import { timedStep, type SetUpLog } from './set-up-log.ts';
import { isExecutable, TEMPORAL_CLI_VERSION } from './temporal-program.ts';

const DOWNLOAD_SITE = 'https://temporal.download/';
const PROBE_MS = 5_000;

/** Whether the SDK's download site answers from here; closed networks are common, and the SDK itself waits long. */
export async function downloadSiteAnswers(site: string = DOWNLOAD_SITE): Promise<boolean> {
  try {
    await fetch(site, { method: 'HEAD', signal: AbortSignal.timeout(PROBE_MS) });
    return true;
  } catch {
    return false; // no way out of this network: the next source is tried
  }
}

/**
 * Lets Temporal's SDK download its development server into `target`. The SDK offers no download without a start, so
 * the server is started once and ended. Throws what the SDK throws.
 */
export async function downloadTemporal(target: string, log: SetUpLog): Promise<void> {
  await withPartFolder(target, async (folder) => {
    await timedStep(log, `downloading Temporal ${TEMPORAL_CLI_VERSION}`, async () => {
      const { TestWorkflowEnvironment } = await import('@temporalio/testing');
      const environment = await TestWorkflowEnvironment.createLocal({
        server: {
          executable: { type: 'cached-download', downloadDir: folder, version: `v${TEMPORAL_CLI_VERSION}` },
        },
      });
      await environment.teardown();
    });
    for (const name of await readdir(folder)) {
      if (await isExecutable(join(folder, name))) {
        await rename(join(folder, name), target);
      }
    }
  });
}
