import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, Worker } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { describe, expect, it } from 'vitest';
import { RECOVER_JOB, WORKFLOW_OF_KIND } from '../../workflows/contract/index.ts';
import { readHistory, workflowOf } from './history-file.ts';
import { installQuietRuntime, quietLogger, workflowBundle } from '../workflows/workflow-harness.ts';

const HISTORIES = new URL('histories/', import.meta.url);
const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

const files = (await readdir(HISTORIES)).toSorted();

installQuietRuntime();

describe('workflows replay the histories that a real server recorded', () => {
  it.each(files)('%s', async (file) => {
    const replay = Worker.runReplayHistory(
      { workflowBundle: await workflowBundle() },
      await readHistory(new URL(file, HISTORIES)),
    );
    await expect(replay).resolves.toBeUndefined();
  });

  it('of every workflow there is', async () => {
    const recorded = new Set(
      await Promise.all(files.map(async (file) => workflowOf(await readHistory(new URL(file, HISTORIES))))),
    );
    expect([...Object.values(WORKFLOW_OF_KIND), RECOVER_JOB].filter((name) => !recorded.has(name))).toEqual([]);
  });

  it('and notice two activities that changed places', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-replay-'));
    try {
      await cp(join(PROJECT, 'workflows'), join(folder, 'workflows'), { recursive: true });
      await symlink(join(PROJECT, 'node_modules'), join(folder, 'node_modules'));
      await writeFile(join(folder, 'package.json'), '{"type":"module"}');
      await swapPlanAndSnapshot(join(folder, 'workflows/backup-vm.workflow.ts'));
      const bundle = await bundleWorkflowCode({
        workflowsPath: join(folder, 'workflows/index.ts'),
        logger: quietLogger,
      });
      const replay = Worker.runReplayHistory(
        { workflowBundle: bundle },
        await readHistory(new URL('backup-vm.json', HISTORIES)),
      );
      await expect(replay).rejects.toThrow(DeterminismViolationError);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

async function swapPlanAndSnapshot(file: string): Promise<void> {
  const lines = (await readFile(file, 'utf8')).split('\n');
  const plan = lines.findIndex((line) => line.includes('await site.planBackup('));
  const snapshot = lines.findIndex((line) => line.includes('await site.snapshotVm('));
  expect([plan, snapshot]).not.toContain(-1);
  const [moved = ''] = lines.splice(snapshot, 1);
  lines.splice(plan, 0, moved.replace('...backup', '...prepared'));
  await writeFile(file, lines.join('\n'));
}
