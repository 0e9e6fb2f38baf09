import { expect, it } from 'vitest';
import { runScript } from '../support/program.ts';

it.each([['--bogus'], ['--report'], ['backup']])(
  'answers %s with what the demo takes, and starts nothing',
  async (arg) => {
    const { code, stdout, output } = await runScript({ script: 'demo/main.ts', args: [arg] });
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(output).toContain('--keep');
    expect(output).not.toMatch(/^\s+at /m);
  },
);
