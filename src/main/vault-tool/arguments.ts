import { parseArgs } from 'node:util';
import { AppError } from '../../kernel/errors.ts';
import type { VerifyLevel } from '../../engine/index.ts';

export const FORMATS = ['raw', 'vhd', 'qcow2'] as const;
export type ImageFormat = (typeof FORMATS)[number];

export interface VaultPlace {
  readonly vault: string;
  readonly keys: string;
}

export interface VerifyCommand extends VaultPlace {
  readonly command: 'verify';
  readonly level: VerifyLevel;
  readonly point: string | undefined;
  readonly state: string | undefined;
}

export interface RestoreCommand extends VaultPlace {
  readonly command: 'restore';
  readonly point: string;
  readonly disk: string | undefined;
  readonly to: string;
  readonly format: ImageFormat;
  readonly force: boolean;
  readonly salvage: boolean;
}

export type Command =
  | { readonly command: 'help' }
  | (VaultPlace & { readonly command: 'list' | 'stats' })
  | (VaultPlace & { readonly command: 'config'; readonly point: string })
  | VerifyCommand
  | RestoreCommand;

const TEXT = { type: 'string' } as const;
const FLAG = { type: 'boolean', default: false } as const;

const OPTIONS_OF: Readonly<Record<string, readonly string[]>> = {
  list: [],
  stats: [],
  config: ['point'],
  verify: ['level', 'point', 'state'],
  restore: ['point', 'disk', 'to', 'format', 'force', 'salvage'],
};

/** BAD_INPUT, with the option's name, for whatever is no command. */
export function readArguments(args: readonly string[]): Command {
  const { values, positionals, given } = parse(args);
  const [command, ...more] = positionals;
  if (values.help || command === 'help') {
    return { command: 'help' };
  }
  const allowed = OPTIONS_OF[command ?? ''];
  if (allowed === undefined || more.length > 0) {
    throw wrong(command === undefined ? 'No command was given.' : `There is no command “${positionals.join(' ')}”.`);
  }
  const stray = given.find((name) => !['vault', 'keys', ...allowed].includes(name));
  if (stray !== undefined) {
    throw wrong(`${command} does not take --${stray}.`);
  }
  const place = { vault: needed('vault', values.vault), keys: needed('keys', values.keys) };
  if (command === 'verify') {
    return { command, ...place, level: readLevel(values.level), point: values.point, state: values.state };
  }
  if (command === 'restore') {
    const { disk, force, salvage } = values;
    const what = { point: needed('point', values.point), disk, to: needed('to', values.to) };
    return { command, ...place, ...what, format: readFormat(values.format), force, salvage };
  }
  if (command === 'config') {
    return { command, ...place, point: needed('point', values.point) };
  }
  return { command: command === 'stats' ? 'stats' : 'list', ...place };
}

function parse(args: readonly string[]) {
  try {
    const { values, positionals, tokens } = parseArgs({
      args: [...args],
      allowPositionals: true,
      tokens: true,
      options: {
        vault: TEXT,
        keys: TEXT,
        level: { ...TEXT, default: '0' },
        point: TEXT,
        disk: TEXT,
        to: TEXT,
        format: { ...TEXT, default: 'raw' },
        state: TEXT,
        force: FLAG,
        salvage: FLAG,
        help: { ...FLAG, short: 'h' },
      },
    });
    return { values, positionals, given: tokens.flatMap((token) => (token.kind === 'option' ? [token.name] : [])) };
  } catch (error) {
    throw wrong(error instanceof Error ? error.message : String(error), error);
  }
}

function readLevel(text: string): VerifyLevel {
  if (text === '0' || text === '1' || text === '2') {
    return Number(text) as VerifyLevel;
  }
  throw wrong(`--level is 0, 1 or 2, not “${text}”.`);
}

function readFormat(text: string): ImageFormat {
  const format = FORMATS.find((known) => known === text);
  if (format === undefined) {
    throw wrong(`--format is ${FORMATS.join(', ')}, not “${text}”.`);
  }
  return format;
}

function needed(name: string, value: string | undefined): string {
  if (value === undefined || value === '') {
    throw wrong(`--${name} is missing.`);
  }
  return value;
}

/** A command line that can't be understood; shown with its own exit code. */
export class WrongArguments extends AppError {}

function wrong(message: string, cause?: unknown): WrongArguments {
  return new WrongArguments('BAD_INPUT', message, { hint: 'holdfast-vault --help shows what there is.', cause });
}
