import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { epochMsOf, isoOf } from './datetime.ts';

const YEAR_2200 = 7_258_118_400_000;
const calendar = new Intl.DateTimeFormat('sv-SE', { timeZone: 'UTC', dateStyle: 'short', timeStyle: 'medium' });

describe('dates as XAPI writes them', () => {
  it('are read as the calendar says', () => {
    expect(epochMsOf('20260821T10:00:00Z')).toBe(1_787_306_400_000);
    expect(epochMsOf('19700101T00:00:00Z')).toBe(0);
    expect(() => epochMsOf('yesterday')).toThrow(expect.objectContaining({ code: 'XAPI_RECORD_INVALID' }));
  });

  it('are written as the calendar says, and read back, for any instant until 2200', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: YEAR_2200 }), (ms) => {
        expect(isoOf(ms).slice(0, 19).replace('T', ' ')).toBe(calendar.format(ms));
        expect(epochMsOf(isoOf(ms))).toBe(ms);
      }),
    );
  });
});
