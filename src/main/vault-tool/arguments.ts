import { parseArgs } from 'node:util';
import type { RetentionMode, VerifyLevel } from '../../engine/index.ts';
import { systemClock } from '../../kernel/clock.ts';
import { AppError, errnoOf } from '../../kernel/errors.ts';
import { isUuid } from '../../kernel/ids.ts';

export const FORMATS = ['raw', 'vhd', 'qcow2'] as const;
export type ImageFormat = (typeof FORMATS)[number];

export interface VaultPlace {
  /** A folder, or `s3://bucket/prefix`. */
  readonly vault: string;
  readonly keys: string;
  /** The id that the vault must have. */
  readonly repository: string | undefined;
  readonly endpoint: string | undefined;
  readonly region: string | undefined;
}

export interface VerifyCommand extends VaultPlace {
  readonly command: 'verify';
  readonly level: VerifyLevel;
  readonly point: string | undefined;
  readonly state: string | undefined;
  /** Days in which a daily run is to read every pack once. */
  readonly scrubDays: number | undefined;
  readonly condemn: boolean;
}

export interface RestoreCommand extends VaultPlace {
  readonly command: 'restore';
  readonly point: string;
  readonly disk: string | undefined;
  readonly to: string;
  readonly format: ImageFormat;
  readonly force: boolean;
  readonly salvage: boolean;
  /** The file that says how far an interrupted restore came. */
  readonly resume: string | undefined;
}

export interface ForgetCommand extends VaultPlace {
  readonly command: 'forget-lost';
  /** The whole id: a beginning might choose another one, for good. */
  readonly point: string;
  readonly force: boolean;
}

export interface CopyCommand extends VaultPlace {
  readonly command: 'copy';
  /** Absent: all that the other vault has no copy of. */
  readonly point: string | undefined;
  readonly target: CopyTarget;
  /** Copies may not be deleted before; milliseconds since the epoch. */
  readonly retainUntil: number | undefined;
}

export interface CopyTarget extends VaultPlace {
  /** Whose vault it must be; absent: the same tenant's. */
  readonly tenantId: string | undefined;
  /** How the bucket is to lock what copies need, until that date. */
  readonly retention: RetentionMode | undefined;
}

const RETENTIONS: readonly RetentionMode[] = ['governance', 'compliance'];

const SHOWN = ['list', 'stats', 'catalog', 'condemned', 'sessions'] as const;
const REPAIRS = ['repair', 'rebuild-index'] as const;

export type ShowCommand = VaultPlace & { readonly command: (typeof SHOWN)[number] };

export type Command =
  | { readonly command: 'help' }
  | { readonly command: 'version' }
  | ShowCommand
  | (VaultPlace & { readonly command: (typeof REPAIRS)[number] })
  | (VaultPlace & { readonly command: 'config'; readonly point: string })
  | VerifyCommand
  | ForgetCommand
  | CopyCommand
  | RestoreCommand;

const TEXT = { type: 'string' } as const;
const FLAG = { type: 'boolean', default: false } as const;
const MAX_SCRUB_DAYS = 3660;

const PLACE_OPTIONS = ['vault', 'keys', 'repository', 'endpoint', 'region'] as const;

const OPTIONS_OF: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries([...SHOWN, ...REPAIRS].map((name) => [name, []])),
  config: ['point'],
  'forget-lost': ['point', 'force'],
  verify: ['level', 'point', 'state', 'scrub', 'condemn'],
  copy: [
    'point',
    'to',
    'to-keys',
    'to-repository',
    'to-tenant',
    'to-endpoint',
    'to-region',
    'to-retention',
    'retain-until',
  ],
  restore: ['point', 'disk', 'to', 'format', 'force', 'salvage', 'resume'],
};

type Values = ReturnType<typeof parse>['values'];

/** BAD_INPUT, with the option's name, for whatever is no command. */
export function readArguments(args: readonly string[]): Command {
  const { values, positionals, given } = parse(args);
  requireOneMeaning(values, given);
  const [command, ...more] = positionals;
  if (values.help || command === 'help') {
    return { command: 'help' };
  }
  if (values.version) {
    return { command: 'version' };
  }
  const allowed = OPTIONS_OF[command ?? ''];
  if (allowed === undefined || more.length > 0) {
    throw wrong(command === undefined ? 'No command was given.' : `There is no command “${positionals.join(' ')}”.`);
  }
  const stray = given.find((name) => ![...PLACE_OPTIONS, ...allowed].includes(name));
  if (stray !== undefined) {
    throw wrong(`${command} does not take --${stray}.`);
  }
  return readCommand(command, values);
}

/** The last of two would hold and the first be passed over; and a variable that was never set stands for no choice. */
function requireOneMeaning(values: Values, given: readonly string[]): void {
  const twice = given.find((name, i) => given.indexOf(name) !== i);
  if (twice !== undefined) {
    throw wrong(`--${twice} was given twice.`);
  }
  const [empty] = Object.entries(values).find(([, value]) => value === '') ?? [];
  if (empty !== undefined) {
    throw wrong(`--${empty} is empty.`);
  }
}

function readCommand(command: string | undefined, values: Values): Command {
  const place = readPlace(values);
  if (command === 'verify') {
    return { command, ...place, ...readVerify(values) };
  }
  if (command === 'restore') {
    return { command, ...place, ...readRestore(values) };
  }
  if (command === 'copy') {
    return { command, ...place, ...readCopy(values) };
  }
  if (command === 'config') {
    return { command, ...place, point: needed('point', values.point) };
  }
  if (command === 'forget-lost') {
    return { command, ...place, ...readForget(values) };
  }
  const repair = REPAIRS.find((name) => name === command);
  return repair === undefined
    ? { command: SHOWN.find((name) => name === command) ?? 'list', ...place }
    : { command: repair, ...place };
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
        repository: TEXT,
        endpoint: TEXT,
        region: TEXT,
        level: TEXT,
        point: TEXT,
        disk: TEXT,
        to: TEXT,
        'to-keys': TEXT,
        'to-repository': TEXT,
        'to-tenant': TEXT,
        'to-endpoint': TEXT,
        'to-region': TEXT,
        'to-retention': TEXT,
        'retain-until': TEXT,
        format: { ...TEXT, default: 'raw' },
        state: TEXT,
        scrub: TEXT,
        resume: TEXT,
        condemn: FLAG,
        force: FLAG,
        salvage: FLAG,
        help: { ...FLAG, short: 'h' },
        version: FLAG,
      },
    });
    return { values, positionals, given: tokens.flatMap((token) => (token.kind === 'option' ? [token.name] : [])) };
  } catch (error) {
    throw wrong(inWords(error), error);
  }
}

/** Node's own words of an option that it does not know are of arguments that no command has. */
function inWords(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const [, unknown] = /'(-[^']*)'/.exec(message) ?? [];
  return errnoOf(error) === 'ERR_PARSE_ARGS_UNKNOWN_OPTION' && unknown !== undefined
    ? `There is no option ${unknown}.`
    : message.replaceAll('\n', ' ');
}

function readPlace(values: Values): VaultPlace {
  const { endpoint, region } = values;
  const vault = neededVault('vault', values.vault);
  const stray = endpoint === undefined ? region && 'region' : 'endpoint';
  if (stray !== undefined && !vault.startsWith('s3://')) {
    throw wrong(`--${stray} is for vaults on S3: --vault s3://BUCKET/PREFIX.`);
  }
  const repository = readId('repository', values.repository);
  return { vault, keys: needed('keys', values.keys), repository, endpoint, region };
}

function readCopy(values: Values): Omit<CopyCommand, keyof VaultPlace | 'command'> {
  const target = readTarget(values);
  const retainUntil = values['retain-until'] === undefined ? undefined : readDay(values['retain-until']);
  if (target.retention !== undefined && retainUntil === undefined) {
    throw wrong('--to-retention needs --retain-until: the day until which the bucket is to lock the copies.');
  }
  return { point: values.point, target, retainUntil };
}

/** Where copies go: its keys are where the others are, unless it is said where else. */
function readTarget(values: Values): CopyTarget {
  const vault = neededVault('to', values.to);
  const { 'to-endpoint': endpoint, 'to-region': region, 'to-retention': mode } = values;
  if ((endpoint ?? region ?? mode) !== undefined && !vault.startsWith('s3://')) {
    throw wrong('--to-endpoint, --to-region and --to-retention are for vaults on S3: --to s3://BUCKET/PREFIX.');
  }
  const retention = RETENTIONS.find((known) => known === mode);
  if (mode !== undefined && retention === undefined) {
    throw wrong(`--to-retention is ${RETENTIONS.join(' or ')}, not “${mode}”.`);
  }
  const keys = values['to-keys'] ?? needed('keys', values.keys);
  const repository = readId('to-repository', values['to-repository']);
  const tenantId = readId('to-tenant', values['to-tenant']);
  return { vault, keys, repository, tenantId, endpoint, region, retention };
}

/** When a day that is still to come begins, in UTC. */
function readDay(text: string): number {
  const time = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(text) : Number.NaN;
  // 31 February is the third of March to some.
  if (Number.isNaN(time) || new Date(time).toISOString().slice(0, text.length) !== text) {
    throw wrong(`--retain-until is a day, YYYY-MM-DD, not “${text}”.`);
  }
  if (time <= systemClock.now()) {
    throw wrong(`--retain-until is a day that is still to come, not ${text}.`);
  }
  return time;
}

function readVerify(values: Values): Omit<VerifyCommand, keyof VaultPlace | 'command'> {
  const { point, state, condemn, scrub } = values;
  const scrubDays = scrub === undefined ? undefined : Number(scrub);
  if (scrubDays !== undefined && !(Number.isInteger(scrubDays) && scrubDays >= 1 && scrubDays <= MAX_SCRUB_DAYS)) {
    throw wrong(`--scrub is a number of days, not “${scrub}”.`);
  }
  if (scrubDays !== undefined && state === undefined) {
    throw wrong('--scrub needs --state: it is where the next run goes on from.');
  }
  const level = readLevel(values.level ?? (scrubDays === undefined ? '0' : '1'));
  if (scrubDays !== undefined && level === 0) {
    throw wrong('--scrub reads packs: level 1 or 2.');
  }
  return { level, point, state, scrubDays, condemn };
}

function readRestore(values: Values): Omit<RestoreCommand, keyof VaultPlace | 'command'> {
  const { disk, force, salvage, resume } = values;
  const what = { point: needed('point', values.point), disk, to: needed('to', values.to) };
  if (what.to === '-') {
    throw wrong("--to is a file or a block device: images can't be piped. ./- is a file of that name.");
  }
  const format = readFormat(values.format);
  if (resume !== undefined && salvage) {
    throw wrong(
      '--resume does not go with --salvage: leave --resume out, and remove its file and the partial one if they are there.',
    );
  }
  if (resume !== undefined && format !== 'raw') {
    throw wrong(`--resume goes with --format raw, and not with ${format}.`);
  }
  return { ...what, format, force, salvage, resume };
}

function readForget({ point, force }: Values): Omit<ForgetCommand, keyof VaultPlace | 'command'> {
  return { point: readId('point', needed('point', point)), force };
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

function readId(name: string, value: string): string;
function readId(name: string, value: string | undefined): string | undefined;
function readId(name: string, value: string | undefined): string | undefined {
  const id = value?.toLowerCase();
  if (id !== undefined && !isUuid(id)) {
    throw wrong(`--${name} is an id, a UUID, not “${value}”.`);
  }
  return id;
}

function needed(name: string, value: string | undefined): string {
  if (value === undefined) {
    throw wrong(`--${name} is missing.`);
  }
  return value;
}

function neededVault(name: string, value: string | undefined): string {
  const vault = needed(name, value);
  if (/^s3:\/\/(?:\/|$)/.test(vault)) {
    throw wrong(`--${name} ${vault} names no bucket: s3://BUCKET/PREFIX.`);
  }
  return vault;
}

/** A command line that can't be understood; shown with its own exit code. */
export class WrongArguments extends AppError {}

function wrong(message: string, cause?: unknown): WrongArguments {
  return new WrongArguments('BAD_INPUT', message, { hint: 'holdfast-vault --help shows what there is.', cause });
}
