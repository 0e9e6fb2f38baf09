import { CancellationScope } from '@temporalio/workflow';

/**
 * Does the work for all items, `most` at a time; results in the order of the items. The first failure cancels the
 * others and is thrown once they have ended, so that nobody writes any more when the caller cleans up.
 */
export async function inParallel<Item, Result>(
  most: number,
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  return await CancellationScope.cancellable(async () => {
    const scope = CancellationScope.current();
    const results = new Map<number, Result>();
    const failures: unknown[] = [];
    const queue = items.entries();
    const lane = async (): Promise<void> => {
      for (const [index, item] of queue) {
        if (failures.length > 0) {
          return;
        }
        try {
          results.set(index, await work(item));
        } catch (error) {
          failures.push(error);
          scope.cancel();
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(most, items.length) }, lane));
    if (failures.length > 0) {
      throw failures[0];
    }
    return items.map((_, index) => results.get(index) as Result);
  });
}
