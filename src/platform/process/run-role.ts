import { rm } from 'node:fs/promises';
import { AppError, toAppError } from '../../kernel/errors.ts';
import { writeReadyFile } from './ready-file.ts';
import { readRoleArguments, roleHelp, type OwnOptions, type RoleArguments } from './role-arguments.ts';

/** A role that is up. */
export interface RunningRole {
  /** Written to the ready file, together with the process id. */
  readonly ready: Readonly<Record<string, unknown>>;
  /** Settles when the role can't go on, with the reason; a role that has nothing to watch leaves it out. */
  readonly failed?: Promise<string>;
  /** How long `stop` may take, in milliseconds. */
  readonly graceMs: number;
  /** Drains: finishes what is in progress, refuses new work, releases everything. */
  stop(): Promise<void>;
}

export interface RoleProgram {
  readonly name: string;
  readonly about: string;
  /** What its command line takes besides. */
  readonly options?: OwnOptions;
  /** Starts the role; resolves when it is up. A role that is only a task (`migrate`) resolves with null when done. */
  start(own: RoleArguments['own']): Promise<RunningRole | null>;
}

/** The exit codes of every role. A signal during start, or a second one, ends it with 128 + the signal's number. */
export const EXIT = { ok: 0, refused: 1, usage: 2, bug: 70 } as const;
const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
const OLDEST_NODE = 24;

function say(name: string, line: string): void {
  process.stderr.write(`holdfast ${name}: ${line}\n`);
}

/** An expected failure is a sentence and what to do; anything else is a bug and shows where it happened. */
function report(name: string, thrown: unknown): number {
  const error = toAppError(thrown);
  if (error.kind !== 'bug') {
    say(name, `${error.message}\n  ${error.hint} [${error.code}]`);
    return EXIT.refused;
  }
  const stack = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  say(name, `unexpected failure, please report it:\n${stack}`);
  return EXIT.bug;
}

function refuseOldNode(): void {
  if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
    throw new AppError(
      'CONFIG_INVALID',
      `This is Node ${process.versions.node}; Holdfast needs ${OLDEST_NODE} or newer.`,
      {
        hint: 'Start it through npm (npm start), which brings its own Node, or with node_modules/.bin/node.',
      },
    );
  }
}

/**
 * The life of a process role: arguments, start, ready file, then until a signal, the end of its input or a failure;
 * drain, exit code. Ends the process. What nobody caught ends it too, loudly: a role with unknown state must not go on.
 */
export async function runRole(program: RoleProgram): Promise<never> {
  const { name } = program;
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => process.exit(Math.max(report(name, error), EXIT.bug)));
  }
  try {
    refuseOldNode();
    const args = readRoleArguments(process.argv.slice(2), program.options);
    if (args.help) {
      process.stdout.write(roleHelp(name, program.about, program.options));
      process.exit(EXIT.ok);
    }
    process.exit(await live(program, args));
  } catch (error) {
    const code = report(name, error);
    process.exit(error instanceof AppError && error.code === 'BAD_INPUT' ? EXIT.usage : code);
  }
}

async function live(program: RoleProgram, args: RoleArguments): Promise<number> {
  const { name } = program;
  const asked = Promise.withResolvers<string>();
  let up = false;
  for (const [signal, exitCode] of Object.entries(SIGNALS)) {
    process.on(signal, () => {
      if (!up) {
        process.exit(exitCode);
      }
      up = false;
      asked.resolve(signal);
    });
  }
  if (args.exitWithStdin) {
    process.stdin.resume().on('end', () => (up ? asked.resolve('the end of its input') : process.exit(EXIT.ok)));
    process.stdin.on('error', () => asked.resolve('the end of its input'));
  }
  if (args.readyFile !== undefined) {
    await rm(args.readyFile, { force: true });
  }
  const role = await program.start(args.own);
  if (role === null) {
    return EXIT.ok;
  }
  up = true;
  if (args.readyFile !== undefined) {
    await writeReadyFile(args.readyFile, { pid: process.pid, ...role.ready });
  }
  const failure = await Promise.race([asked.promise.then(() => null), role.failed ?? asked.promise.then(() => null)]);
  if (failure !== null) {
    say(name, failure);
  }
  if (args.readyFile !== undefined) {
    await rm(args.readyFile, { force: true });
  }
  const drained = await stopWithin(role, role.graceMs);
  if (!drained) {
    say(name, `did not end within ${role.graceMs / 1000} s; what was in progress is taken up at the next start`);
  }
  return failure === null && drained ? EXIT.ok : EXIT.refused;
}

async function stopWithin(role: RunningRole, graceMs: number): Promise<boolean> {
  const late = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => late.resolve(false), graceMs);
  try {
    return await Promise.race([role.stop().then(() => true), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
