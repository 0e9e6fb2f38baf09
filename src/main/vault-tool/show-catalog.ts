import type { Catalog, Repository } from '../../engine/index.ts';
import { EXIT } from './exit-codes.ts';
import { table, type Terminal } from './terminal.ts';

/** Everything that the vault says of itself, as JSON for other programs. */
export async function showCatalog(repository: Repository, terminal: Terminal): Promise<number> {
  const catalog = await repository.readCatalog();
  terminal.print(JSON.stringify(catalog, null, 2));
  return exitOf(catalog, terminal);
}

export async function showCondemned(repository: Repository, terminal: Terminal): Promise<number> {
  const catalog = await repository.readCatalog();
  const rows = catalog.condemned.flatMap(({ number, condemnedAt, reason, packs }) =>
    packs.map((name) => [String(number), isoSeconds(condemnedAt), reason, name]),
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
    isoSeconds(startedAt),
    pointId,
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

function isoSeconds(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
}
