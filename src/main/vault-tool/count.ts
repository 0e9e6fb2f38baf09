/** A number of things that are more than one with an s: `1 pack`, `2 packs`. */
export function count(number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? '' : 's'}`;
}
