import type { Catalog, Repository, SessionPurpose } from '../../engine/index.ts';
import { EXIT } from './exit-codes.ts';
import { showTime } from './show-time.ts';
import { table, type Terminal } from './terminal.ts';

/** What becomes a restore point: those who read announce an id that never will. */
const WRITERS: readonly SessionPurpose[] = ['backup'];

/** Everything that the vault says of itself, as JSON for other programs. */
export async function showCatalog(repository: Repository, terminal: Terminal): Promise<number> {
  const catalog = await repository.readCatalog();
  terminal.printJson(catalog);
  return exitOf(catalog, terminal);
}

export async function showCondemned(repository: Repository, terminal: Terminal): Promise<number> {
  const catalog = await repository.readCatalog();
  const rows = catalog.condemned.flatMap(({ number, condemnedAt, reason, packs }) =>
    packs.map((name) => [String(number), showTime(condemnedAt, 'second'), reason, name]),
  );
  if (rows.length === 0) {
    terminal.print('No packs are condemned.');
  } else {
    table([['NUMBER', 'CONDEMNED (UTC)', 'WHY', 'PACK'], ...rows]).forEach((line) => terminal.print(line));
  }
  return exitOf(catalog, terminal);
}

export async function showSessions(repository: Repository, terminal: Terminal): Promise<number> {
  const catalog = await repository.readCatalog();
  const rows = catalog.sessions.map(({ sessionId, purpose, startedAt, pointId, pins }) => [
    sessionId,
    purpose,
    showTime(startedAt, 'second'),
    WRITERS.includes(purpose) ? pointId : '-',
    pins.length === 0 ? '-' : pins.join(' '),
  ]);
  if (rows.length === 0) {
    terminal.print('No sessions are open.');
  } else {
    table([['SESSION', 'PURPOSE', 'BEGUN (UTC)', 'ITS RESTORE POINT', 'PINS'], ...rows]).forEach((line) =>
      terminal.print(line),
    );
  }
  return exitOf(catalog, terminal);
}

function exitOf({ damaged }: Catalog, terminal: Terminal): number {
  damaged.forEach(({ name, message }) => terminal.tell(`DAMAGED  ${name}: ${message}`));
  return damaged.length === 0 ? EXIT.done : EXIT.damaged;
}
