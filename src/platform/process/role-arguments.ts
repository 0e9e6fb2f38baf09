import { parseArgs } from 'node:util';
import { AppError } from '../../kernel/errors.ts';

/** The command line that every role takes. */
export interface RoleArguments {
  /** Where to say that the role is up, and where. */
  readonly readyFile: string | undefined;
  /** End, orderly, when standard input does: for whoever starts the role and may be killed itself. */
  readonly exitWithStdin: boolean;
  readonly help: boolean;
}

export function roleHelp(role: string, about: string): string {
  return [
    `holdfast ${role}: ${about}`,
    '',
    '  --ready-file FILE   write JSON to FILE once it is up: where it listens, and its process id',
    '  --exit-with-stdin   end, orderly, when standard input ends',
    '  --help              this text',
    '',
    'Configuration comes from environment variables: docs/configuration.md lists them.',
    '',
  ].join('\n');
}

/** Throws BAD_INPUT for anything else. */
export function readRoleArguments(args: readonly string[]): RoleArguments {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        'ready-file': { type: 'string' },
        'exit-with-stdin': { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    return { readyFile: values['ready-file'], exitWithStdin: values['exit-with-stdin'], help: values.help };
  } catch (cause) {
    throw new AppError('BAD_INPUT', cause instanceof Error ? cause.message : String(cause), {
      hint: '--help lists what there is.',
      cause,
    });
  }
}
