import { VARIABLES, type Variable, type VariableName } from './variables.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

type ValueOf<V> = V extends { reader: { schema: { parse(text: unknown): infer T } } }
  ? V extends { fallback: string }
    ? T
    : T | undefined
  : never;

export type Values = { readonly [Name in VariableName]: ValueOf<(typeof VARIABLES)[Name]> };

/** Variables that only the tests' own set-up reads. */
const TEST_PREFIX = 'HOLDFAST_TEST_';

export interface ReadOutcome {
  /** Complete where there are no mistakes. */
  readonly values: Partial<Values>;
  readonly mistakes: readonly string[];
}

/** Reads all variables, going on after a mistake. A value is never repeated in a mistake: it may be a secret. */
export function readVariables(env: Environment): ReadOutcome {
  const values: Record<string, unknown> = {};
  const mistakes: string[] = [];
  const variables: readonly (readonly [string, Variable<unknown>])[] = Object.entries(VARIABLES);
  for (const [name, { reader, fallback }] of variables) {
    const given = env[name];
    const text = given === undefined || given === '' ? fallback : given;
    if (text !== undefined) {
      const outcome = reader.schema.safeParse(text);
      if (outcome.success) {
        values[name] = outcome.data;
      } else {
        mistakes.push(`${name} is not ${reader.right}.`);
      }
    }
  }
  return { values, mistakes: [...mistakes, ...unknownNames(env)] };
}

function unknownNames(env: Environment): string[] {
  const known = Object.keys(VARIABLES);
  return Object.keys(env)
    .filter((name) => name.startsWith('HOLDFAST_') && !name.startsWith(TEST_PREFIX) && !known.includes(name))
    .map((name) => {
      const near = known.toSorted((a, b) => distance(a, name) - distance(b, name))[0] ?? '';
      return `${name} is not a variable of Holdfast; the nearest one is ${near}.`;
    });
}

/** How many letters have to be inserted, dropped or replaced to get from one name to the other. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= to.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
