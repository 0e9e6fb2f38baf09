import { parseArgs } from 'node:util';

export interface DemoArguments {
  /** Leave everything running at the end, and say how to look at it. */
  readonly keep: boolean;
  /** Where to write the steps as JSON. */
  readonly report: string | undefined;
  readonly help: boolean;
}

export const HELP = `The main job of Holdfast, end to end, on real engines.

  --keep          leave everything running, and print addresses, tokens and queries to paste
  --report FILE   write { ok, steps: [{ name, ok, seconds, bytesRead, bytesStored, detail }] }
  --help          this text
`;

export function readArguments(args: readonly string[]): DemoArguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      keep: { type: 'boolean', default: false },
      report: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  return { keep: values.keep, report: values.report, help: values.help };
}
