import type { Repository } from '../../engine/index.ts';
import { EXIT } from './exit-codes.ts';
import { findPoint } from './find-point.ts';
import type { Terminal } from './terminal.ts';

/** What the machine was, in its writer's own form: JSON with indents where it is JSON, else as it is. */
export async function showConfig(repository: Repository, beginning: string, terminal: Terminal): Promise<number> {
  const { pointId } = await findPoint(repository, beginning);
  const { config } = await repository.readPoint(pointId);
  const text = Buffer.from(config).toString('utf8');
  terminal.print(indented(text) ?? text);
  return EXIT.done;
}

function indented(text: string): string | null {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return null; // its writer chose another form
  }
}
