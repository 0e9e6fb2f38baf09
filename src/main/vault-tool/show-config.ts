import type { Repository } from '../../engine/index.ts';
import { EXIT } from './exit-codes.ts';
import { findPoint } from './find-point.ts';
import type { Terminal } from './terminal.ts';

/** What the machine was, in its writer's own form: JSON with indents where it is JSON, else as it is. */
export async function showConfig(repository: Repository, beginning: string, terminal: Terminal): Promise<number> {
  const { pointId } = await findPoint(repository, beginning);
  const { config } = await repository.readPoint(pointId);
  const text = Buffer.from(config).toString('utf8');
  const parsed = parse(text);
  if (parsed === undefined) {
    terminal.printText(text);
  } else {
    terminal.printJson(parsed);
  }
  return EXIT.done;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // its writer chose another form
  }
}
