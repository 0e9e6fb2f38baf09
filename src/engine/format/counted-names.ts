import type { Store } from '../ports/store.ts';

const NUMBER = /^[1-9]\d{0,14}$/;

/** Numbers are counted one by one; so many may be lost, or late in a list. What stands further above was not counted. */
export const MAX_GAP = 1000;

/** The highest of the counted objects below `prefix`, whose names end with their numbers; 0 if there is none. */
export async function findHighest(store: Store, prefix: string): Promise<number> {
  const numbers: number[] = [];
  for await (const { name } of store.list(prefix)) {
    const number = name.slice(prefix.length);
    if (isCounted(number)) {
      numbers.push(Number(number));
    }
  }
  return highestCounted(numbers);
}

/** Whether a name ends as counted objects do: without a zero in front, below what numbers count exactly. */
export function isCounted(number: string): boolean {
  return NUMBER.test(number);
}

/** 0 where nothing was counted. */
export function highestCounted(numbers: readonly number[]): number {
  let highest = 0;
  for (const number of numbers.toSorted((a, b) => a - b)) {
    highest = number - highest <= MAX_GAP ? number : highest;
  }
  return highest;
}

/** Whether what can't be put somewhere meets no object there, but a link or a folder, which no list ever counts. */
export async function isTakenByNone(store: Store, name: string): Promise<boolean> {
  return (await store.head(name)) === null;
}
