/** What the tool's end says to scripts. */
export const EXIT = { done: 0, failed: 1, wrongArguments: 2, damaged: 3, interrupted: 130 } as const;
