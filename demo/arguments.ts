import { parseArgs } from 'node:util';

export interface DemoArguments {
  /** Leave everything running at the end, and say how to look at it. */
  readonly keep: boolean;
  /** Where to write the steps as JSON. */
  readonly report: string | undefined;
  readonly help: boolean;
}

/** What was asked for is none of it: the message says what, and the help what there is. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const HELP = `The main job of Holdfast, end to end, on real engines.

  --keep          leave everything running, and print addresses, tokens and queries to paste
  --report FILE   write { ok, steps: [{ name, ok, seconds, bytesRead, bytesStored, detail }] }
  --help          this text
`;

const OPTIONS = {
  keep: { type: 'boolean', default: false },
  report: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

export function readArguments(args: readonly string[]): DemoArguments {
  const { keep, report, help } = parse(args);
  return { keep, report, help };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}
