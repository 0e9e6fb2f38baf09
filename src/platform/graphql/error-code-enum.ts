import { ERROR_CODES } from '../../kernel/error-codes.ts';

/** The enum of the SDL, from the closed table, so that the two can't differ. */
export function errorCodeEnum(): string {
  const values = Object.entries(ERROR_CODES).map(([code, { hint }]) => `  ${JSON.stringify(hint)}\n  ${code}`);
  return `"The closed list of error codes; docs/errors.md says what to do about each."\nenum ErrorCode {\n${values.join('\n')}\n}\n`;
}
