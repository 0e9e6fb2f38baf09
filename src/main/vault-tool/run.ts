import { assertNever, errnoOf, toAppError, type AppError } from '../../kernel/errors.ts';
import { afterInterrupt } from './after-interrupt.ts';
import { readArguments, WrongArguments, type Command, type ShowCommand } from './arguments.ts';
import { copyPoints } from './copy-points.ts';
import { EXIT } from './exit-codes.ts';
import { forgetLost } from './forget-lost.ts';
import { HELP } from './help.ts';
import { listPoints } from './list-points.ts';
import { mendVault } from './mend-vault.ts';
import { openVault } from './open-vault.ts';
import { repairVault } from './repair-vault.ts';
import { restoreDisk } from './restore-disk.ts';
import { showCatalog, showCondemned, showSessions } from './show-catalog.ts';
import { showConfig } from './show-config.ts';
import { showStats } from './show-stats.ts';
import { showVersion } from './show-version.ts';
import { terminal } from './terminal.ts';
import { verifyVault } from './verify-vault.ts';

/** Runs a command line to its end and returns the exit code. A first Ctrl-C ends orderly. */
export async function runVaultTool(args: readonly string[]): Promise<number> {
  const output = watchOutput();
  const controller = new AbortController();
  const interrupt = (): void => controller.abort();
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  let command: Command | undefined;
  try {
    command = readArguments(args);
    const code = await run(command, controller.signal);
    return output.isLost ? EXIT.failed : code;
  } catch (error) {
    if (controller.signal.aborted) {
      terminal.tell(`holdfast-vault: ${afterInterrupt(command)}`);
      return EXIT.interrupted;
    }
    return fail(toAppError(error));
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  }
}

/**
 * Who reads the output may have seen enough, which is no error; where it can't be stored, that is one. Told when it comes
 * to it, which may be after the end.
 */
function watchOutput(): { readonly isLost: boolean } {
  const output = { isLost: false };
  process.stdout.on('error', (error) => {
    if (errnoOf(error) !== 'EPIPE' && !output.isLost) {
      output.isLost = true;
      process.exitCode = EXIT.failed;
      terminal.tell(`holdfast-vault: standard output can't be written: ${String(errnoOf(error) ?? error)}.`);
    }
  });
  process.stderr.on('error', () => undefined); // nobody is left to be told
  return output;
}

const SHOW = {
  list: listPoints,
  catalog: showCatalog,
  condemned: showCondemned,
  sessions: showSessions,
  stats: showStats,
} as const;

function isShown(command: Command): command is ShowCommand {
  return command.command in SHOW;
}

async function run(command: Command, signal: AbortSignal): Promise<number> {
  if (command.command === 'help') {
    process.stdout.write(HELP);
    return EXIT.done;
  }
  if (command.command === 'version') {
    return await showVersion(terminal);
  }
  if (command.command === 'repair') {
    await mendVault(command, terminal);
  }
  await using vault = await openVault(command);
  const { repository } = vault;
  if (isShown(command)) {
    return await SHOW[command.command](repository, terminal);
  }
  switch (command.command) {
    case 'repair':
    case 'rebuild-index':
      return await repairVault(repository, command.command, terminal, signal);
    case 'config':
      return await showConfig(repository, command.point, terminal);
    case 'verify':
      return await verifyVault(vault, command, terminal, signal);
    case 'forget-lost':
      return await forgetLost(repository, command, terminal);
    case 'copy':
      return await copyPoints(vault, command, terminal, signal);
    case 'restore':
      return await restoreDisk(repository, command, terminal, signal);
    default:
      return assertNever(command, 'command');
  }
}

function fail(error: AppError): number {
  terminal.tell(`holdfast-vault: ${error.message}`);
  terminal.tell(`  ${error.hint}`);
  if (error instanceof WrongArguments) {
    return EXIT.wrongArguments;
  }
  return error.kind === 'corrupt' && error.code === 'VAULT_CORRUPT' ? EXIT.damaged : EXIT.failed;
}
