/**
 * What a terminal would act on instead of showing it: control characters (C0, DEL, C1), separators of lines, and marks
 * that turn the direction of writing.
 */
const IN_LINE = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;
const IN_TEXT = /(?![\t\n])[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;

const MAX_CELL = 60;

/** As one line: names in a vault are whatever its writer chose, and some are written by nobody with a key. */
export function visibleLine(text: string): string {
  return text.replace(IN_LINE, braced);
}

/** With the lines and tabs that it has. */
export function visibleText(text: string): string {
  return text.replace(IN_TEXT, braced);
}

/** JSON for whoever parses it and for whoever looks at it. */
export function visibleJson(value: unknown): string {
  // JSON itself escapes C0 in strings; its own line ends are no part of one.
  return JSON.stringify(value, null, 2).replace(IN_TEXT, (found) => `\\u${hexOf(found).padStart(4, '0')}`);
}

/** One line, cut where it is longer than a column may be. */
export function visibleCell(text: string): string {
  const characters = Array.from(visibleLine(text.slice(0, 2 * (MAX_CELL + 1))));
  return characters.length > MAX_CELL ? `${characters.slice(0, MAX_CELL - 1).join('')}…` : characters.join('');
}

function braced(found: string): string {
  return `\\u{${hexOf(found)}}`;
}

function hexOf(found: string): string {
  return found.charCodeAt(0).toString(16);
}
