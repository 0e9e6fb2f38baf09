import { AppError } from '../kernel/errors.ts';

const DAY_MS = 86_400_000;

/** XAPI's `20260821T10:00:00Z` (dashes and fractions of a second are taken too) → milliseconds since the epoch. */
export function epochMsOf(datetime: string): number {
  const match = /^(\d{4})-?(\d{2})-?(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,3})\d*)?Z?$/.exec(datetime);
  if (match === null) {
    throw new AppError('XAPI_RECORD_INVALID', `"${datetime}" is no date and time as XAPI writes them.`);
  }
  const [year = 0, month = 0, day = 0, hours = 0, minutes = 0, seconds = 0] = match.slice(1, 7).map(Number);
  const milliseconds = Number((match[7] ?? '').padEnd(3, '0'));
  return daysSinceEpoch(year, month, day) * DAY_MS + ((hours * 60 + minutes) * 60 + seconds) * 1000 + milliseconds;
}

/** Milliseconds since the epoch → `2026-08-21T10:00:00.000Z`. */
export function isoOf(epochMs: number): string {
  const days = Math.floor(epochMs / DAY_MS);
  const rest = epochMs - days * DAY_MS;
  const [year, month, day] = dateOf(days);
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  const time = `${two(rest / 3_600_000)}:${two((rest / 60_000) % 60)}:${two((rest / 1000) % 60)}`;
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}T${time}.${String(rest % 1000).padStart(3, '0')}Z`;
}

const isLeap = (year: number): boolean => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
const monthDays = (year: number): readonly number[] => {
  const february = isLeap(year) ? 29 : 28;
  return [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
};

/** The proleptic Gregorian calendar, counted in days. */
function daysBeforeYear(year: number): number {
  const past = year - 1;
  return past * 365 + Math.floor(past / 4) - Math.floor(past / 100) + Math.floor(past / 400);
}

function daysSinceEpoch(year: number, month: number, day: number): number {
  const before = monthDays(year)
    .slice(0, month - 1)
    .reduce((sum, days) => sum + days, 0);
  return daysBeforeYear(year) - daysBeforeYear(1970) + before + day - 1;
}

function dateOf(days: number): readonly [number, number, number] {
  let year = 1970 + Math.floor(days / 366);
  while (daysSinceEpoch(year + 1, 1, 1) <= days) {
    year += 1;
  }
  let left = days - daysSinceEpoch(year, 1, 1);
  let month = 1;
  for (const length of monthDays(year)) {
    if (left < length) {
      break;
    }
    left -= length;
    month += 1;
  }
  return [year, month, left + 1];
}
