import { ERROR_CODES, type ErrorKind } from '../src/kernel/error-codes.ts';

const MEANING: Record<ErrorKind, string> = {
  invalid: 'The request or the configuration is wrong; the same thing again fails again.',
  unauthenticated: 'No valid credential came with the request.',
  forbidden: 'The credential is known and may not do this.',
  not_found: 'It does not exist, or is not visible to this credential: the answer is the same.',
  conflict: 'The state of things stands against it; read it again.',
  quota: 'A limit is reached.',
  unavailable: 'Something outside does not answer; Holdfast tries again by itself, and so may you.',
  corrupt: 'Stored data or keys are damaged or missing.',
  cancelled: 'Somebody asked for it.',
  bug: 'Our mistake; please report it.',
};

/** `docs/errors.md`, from the closed table of codes. */
export function renderErrorDocs(): string {
  const lines = [
    '# Error codes',
    '',
    'Generated from `src/kernel/error-codes.ts` by `npm run gen:errors`; a test fails when the two differ.',
    'The code is stable and made for programs; messages and hints are made for people and may change.',
    'GraphQL carries it as `userErrors[].code` or `extensions.code`, REST as `code` in `application/problem+json`.',
    '',
  ];
  const kinds = new Set(Object.values(ERROR_CODES).map((entry) => entry.kind));
  for (const kind of kinds) {
    lines.push(`## ${kind}`, '', MEANING[kind], '', '| code | what to do |', '|---|---|');
    for (const [code, entry] of Object.entries(ERROR_CODES)) {
      if (entry.kind === kind) {
        lines.push(`| \`${code}\` | ${entry.hint} |`);
      }
    }
    lines.push('');
  }
  return lines.join('\n');
}
