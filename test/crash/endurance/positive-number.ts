/** What is no such number would end every loop at once, as if nothing had been found. */
export function positiveNumber(option: string, text: string): number {
  const number = Number(text);
  if (!Number.isFinite(number) || number <= 0) {
    throw new RangeError(`--${option} has to be a number above 0, not "${text}".`);
  }
  return number;
}
