import type { WorkflowFound } from '../jobs/job-workflows.ts';
import { isFinished, type JobState } from '../jobs/job-state.ts';

/** What has to be done about one pair of row and workflow. */
export type Remedy =
  /** Nothing: the two agree. */
  | 'LEAVE'
  /** Start the workflow: the row was committed, and the start was lost. */
  | 'START'
  /** Tell the open workflow to end. */
  | 'CANCEL'
  /** Nothing was begun: set the row's end. */
  | 'END'
  /** Clean up what the lost run left behind, then set the row's end. */
  | 'RECOVER';

type OpenState = 'QUEUED' | 'RUNNING' | 'CANCELLING';

const REMEDIES: Readonly<Record<OpenState, Readonly<Record<WorkflowFound, Remedy>>>> = {
  QUEUED: { NONE: 'START', OPEN: 'LEAVE', CLOSED: 'END' },
  RUNNING: { NONE: 'RECOVER', OPEN: 'LEAVE', CLOSED: 'RECOVER' },
  CANCELLING: { NONE: 'RECOVER', OPEN: 'CANCEL', CLOSED: 'RECOVER' },
};

/** The whole table of rows and workflows. A job that no run had ever taken has nothing to clean up. */
export function decide(job: { readonly state: JobState; readonly runId: string | null }, found: WorkflowFound): Remedy {
  const { state, runId } = job;
  if (state !== 'QUEUED' && state !== 'RUNNING' && state !== 'CANCELLING') {
    return isFinished(state) && found === 'OPEN' ? 'CANCEL' : 'LEAVE';
  }
  const remedy = REMEDIES[state][found];
  return remedy === 'RECOVER' && runId === null ? 'END' : remedy;
}
