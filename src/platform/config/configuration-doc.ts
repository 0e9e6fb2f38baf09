import { VARIABLES, type Variable } from './variables.ts';

/** The table of `docs/configuration.md`, in Markdown. */
export function configurationTable(): string {
  const variables: readonly (readonly [string, Variable<unknown>])[] = Object.entries(VARIABLES);
  const lines = variables.map(([name, { reader, fallback, about }]) => {
    const standard = fallback === undefined || fallback === '' ? '–' : `\`${fallback}\``;
    return `| \`${name}\` | ${reader.right} | ${standard} | ${about} |`;
  });
  return ['| variable | value | unless given | what for |', '|---|---|---|---|', ...lines, ''].join('\n');
}
