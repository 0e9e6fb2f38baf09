import { parseArgs } from 'node:util';
import { AppError } from '../../kernel/errors.ts';

/** The command line that every role takes. */
export interface RoleArguments {
  /** Where to say that the role is up, and where. */
  readonly readyFile: string | undefined;
  /** End, orderly, when standard input does: for whoever starts the role and may be killed itself. */
  readonly exitWithStdin: boolean;
  readonly help: boolean;
  /** Values of the role's own options. */
  readonly own: Readonly<Record<string, string | undefined>>;
}

/** What a role takes besides, by its name: what to put after it, and what it is. */
export type OwnOptions = Readonly<Record<string, { readonly value: string; readonly about: string }>>;

export function roleHelp(role: string, about: string, own: OwnOptions = {}): string {
  return [
    `holdfast ${role}: ${about}`,
    '',
    ...Object.entries(own).map(([name, option]) => `  ${`--${name} ${option.value}`.padEnd(19)} ${option.about}`),
    '  --ready-file FILE   write JSON to FILE once it is up: where it listens, and its process id',
    '  --exit-with-stdin   end, orderly, when standard input ends',
    '  --help              this text',
    '',
    'Configuration comes from environment variables: docs/configuration.md lists them.',
    '',
  ].join('\n');
}

/** Throws BAD_INPUT for anything else. */
export function readRoleArguments(args: readonly string[], own: OwnOptions = {}): RoleArguments {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        ...Object.fromEntries(Object.keys(own).map((name) => [name, { type: 'string' as const }])),
        'ready-file': { type: 'string' },
        'exit-with-stdin': { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    const given: Readonly<Record<string, string | boolean | undefined>> = values;
    const text = (name: string): string | undefined => (typeof given[name] === 'string' ? given[name] : undefined);
    return {
      readyFile: values['ready-file'],
      exitWithStdin: values['exit-with-stdin'],
      help: values.help,
      own: Object.fromEntries(Object.keys(own).map((name) => [name, text(name)])),
    };
  } catch (cause) {
    throw new AppError('BAD_INPUT', cause instanceof Error ? cause.message : String(cause), {
      hint: '--help lists what there is.',
      cause,
    });
  }
}
