import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { eventOf, JOB_STATES } from '../../src/control/jobs/job-state.ts';
import { projectFile } from '../../src/platform/project-file.ts';

const TYPE = /'([a-z_]+(?:\.[a-z_]+)+)'/g;

function filesIn(folder: string, ending: string): string[] {
  return readdirSync(projectFile(folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending) && !name.endsWith('.spec.ts'))
    .map((name) => readFileSync(join(projectFile(folder), name), 'utf8'));
}

/** Every type that some line writes: `event: 'site.created'`, a list of types, or SQL's own insert. */
function writtenTypes(): Set<string> {
  const lines = filesIn('src/control', '.ts').flatMap((text) => text.split('\n'));
  const writing = lines.filter((line) => /(event|type|EventType) ?[:=]/.test(line) && !line.includes('column:'));
  const statements = filesIn('migrations', '.sql').flatMap((text) => text.match(/insert into app\.event[^;]*;/g) ?? []);
  const found = [...writing, ...statements].flatMap((text) => [...text.matchAll(TYPE)].map(([, type]) => String(type)));
  return new Set([...found, ...JOB_STATES.map(eventOf)]);
}

it('docs/webhooks.md lists every type of event, and none that nothing writes', () => {
  const page = readFileSync(projectFile('docs/webhooks.md'), 'utf8');
  const rows = page.split('\n').filter((line) => line.startsWith('| '));
  const listed = rows.flatMap((row) => [...row.matchAll(/`([a-z_]+(?:\.[a-z_]+)+)`/g)].map(([, type]) => String(type)));
  expect(new Set(listed)).toEqual(writtenTypes());
});
