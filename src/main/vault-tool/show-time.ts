/** UTC, to the minute or the second; what no clock can have said is shown as it is. */
export function showTime(ms: number, to: 'minute' | 'second'): string {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) {
    return `impossible: ${String(ms)}`;
  }
  return date
    .toISOString()
    .slice(0, to === 'minute' ? -8 : -5)
    .replace('T', ' ');
}
