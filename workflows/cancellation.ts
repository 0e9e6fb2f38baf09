import { CancellationScope, CancelledFailure } from '@temporalio/workflow';

/**
 * Called before a step that can't be taken back. An activity may end well although a cancellation is on its way to it;
 * who asked for the cancellation expects that it counts.
 */
export function throwIfCancelled(): void {
  if (CancellationScope.current().consideredCancelled) {
    throw new CancelledFailure('The job was cancelled.');
  }
}
