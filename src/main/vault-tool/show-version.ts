import { readFile } from 'node:fs/promises';
import { projectFile } from '../../platform/project-file.ts';
import { EXIT } from './exit-codes.ts';
import type { Terminal } from './terminal.ts';

export async function showVersion(terminal: Terminal): Promise<number> {
  const { version } = JSON.parse(await readFile(projectFile('package.json'), 'utf8')) as { readonly version: string };
  terminal.print(`holdfast-vault ${version}`);
  return EXIT.done;
}
