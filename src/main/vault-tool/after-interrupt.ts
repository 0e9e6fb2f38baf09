import type { Command } from './arguments.ts';

/** What is said of a command that was interrupted; undefined: it had not been understood yet. */
export function afterInterrupt(command: Command | undefined): string {
  return command !== undefined && goesOn(command)
    ? 'interrupted. The same command line goes on from where it was.'
    : 'interrupted.';
}

function goesOn(command: Command): boolean {
  return (
    command.command === 'copy' ||
    (command.command === 'restore' && command.resume !== undefined) ||
    (command.command === 'verify' && command.state !== undefined)
  );
}
