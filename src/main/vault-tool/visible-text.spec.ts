import { expect, test } from 'vitest';
import { table } from './terminal.ts';
import { visibleCell, visibleJson, visibleLine, visibleText } from './visible-text.ts';

const HOSTILE = 'a\u001b[2J\u007f\u009b\u202e\u2066\nb\tc';

test('what a terminal would obey is shown instead', () => {
  expect(visibleLine(HOSTILE)).toBe('a\\u{1b}[2J\\u{7f}\\u{9b}\\u{202e}\\u{2066}\\u{a}b\\u{9}c');
  expect(visibleText(HOSTILE)).toBe('a\\u{1b}[2J\\u{7f}\\u{9b}\\u{202e}\\u{2066}\nb\tc');
  expect(visibleLine('Büro 東京 🖥 “1”')).toBe('Büro 東京 🖥 “1”');
});

test('JSON stays what it was, and shows what is in it', () => {
  const text = visibleJson({ name: HOSTILE });
  expect(text).toContain('\\u001b[2J\\u007f\\u009b\\u202e\\u2066\\nb');
  expect(JSON.parse(text)).toEqual({ name: HOSTILE });
});

test('a table is a row a line, of columns that can be read, however many there are', () => {
  const rows = table([
    ['NAME', 'SIZE'],
    ['x'.repeat(1_000_000), '1'],
    ['y\nforged', '2'],
    ['z', '3'.repeat(99)],
  ]);
  expect(rows.map((row) => row.indexOf('SIZE'))[0]).toBe(62);
  expect(rows[1]).toBe(`${'x'.repeat(59)}…  1`);
  expect(rows[2]).toMatch(/^y\\u\{a\}forged +2$/);
  expect(rows[3]).toContain('3'.repeat(99));
  expect(visibleCell('🖥'.repeat(61))).toBe(`${'🖥'.repeat(59)}…`);
  expect(table(Array.from({ length: 200_000 }, () => ['a', 'b']))).toHaveLength(200_000);
});
