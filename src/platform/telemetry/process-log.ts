import { Logger, type LoggerService } from '@nestjs/common';
import { destination, pino, stdTimeFunctions, type DestinationStream, type Logger as Pino } from 'pino';
import { describeError, levelOf } from './describe-error.ts';
import { logContext } from './log-context.ts';
import type { LogLevel } from './log-level.ts';
import { scrub, scrubMessage } from './scrub.ts';

export interface LogOptions {
  readonly role: string;
  readonly logLevel: LogLevel;
}

const STDERR = 2;
/** Nest thinks it has to say the error of a failed start; whoever asked for the start says it, in a sentence. */
const SAID_ELSEWHERE = 'ExceptionHandler';

/**
 * The process's log: a line of JSON each, behind Nest's `Logger`, through which everything is logged. The level of an
 * error that is ours follows from its kind. What Nest tells of its own start is left out.
 */
export class ProcessLog implements LoggerService {
  readonly #pino: Pino;

  constructor({ role, logLevel }: LogOptions, to: DestinationStream = destination({ dest: STDERR, sync: true })) {
    this.#pino = pino(
      {
        level: logLevel,
        base: { role, pid: process.pid },
        timestamp: stdTimeFunctions.isoTime,
        messageKey: 'message',
        formatters: { level: (level) => ({ level }) },
        mixin: logContext,
        serializers: { err: (described: unknown) => described },
      },
      to,
    );
  }

  fatal(...given: unknown[]): void {
    this.#write('fatal', given);
  }

  error(...given: unknown[]): void {
    this.#write('error', given);
  }

  warn(...given: unknown[]): void {
    this.#write('warn', given);
  }

  /** Nest's word for info; most of it is Nest's own. */
  log(...given: unknown[]): void {
    this.#write('trace', given);
  }

  info(...given: unknown[]): void {
    this.#write('info', given);
  }

  debug(...given: unknown[]): void {
    this.#write('debug', given);
  }

  verbose(...given: unknown[]): void {
    this.#write('trace', given);
  }

  #write(level: LogLevel, [said, ...rest]: readonly unknown[]): void {
    const part = rest.at(-1);
    if (part !== SAID_ELSEWHERE) {
      const { err, ...line } = asLine(said);
      const scrubbed = scrub({ ...(typeof part === 'string' ? { part } : {}), ...line }) as object;
      this.#pino[levelOf(err) ?? level]({
        ...scrubbed,
        ...(err === undefined ? {} : { ...codeOf(err), err: describeError(err) }),
      });
    }
  }
}

function asLine(said: unknown): Readonly<Record<string, unknown>> {
  if (said instanceof Error) {
    return { message: scrubMessage(said), err: said };
  }
  return typeof said === 'object' && said !== null ? { ...said } : { message: String(said) };
}

function codeOf(err: unknown): object {
  const described = describeError(err);
  return typeof described === 'object' && described !== null && 'kind' in described && 'code' in described
    ? { code: described.code, kind: described.kind }
    : {};
}

let current: ProcessLog | undefined;

/** Opens the process's log; every `Logger` writes to it from now on. */
export function openProcessLog(options: LogOptions): ProcessLog {
  current = new ProcessLog(options);
  Logger.overrideLogger(current);
  return current;
}

/** The log that was opened; where none was, as in a test, one that tells what somebody has to look at. */
export function processLog(): ProcessLog {
  return (current ??= openProcessLog({ role: 'holdfast', logLevel: 'warn' }));
}
