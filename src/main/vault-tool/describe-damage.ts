import type { AppError } from '../../kernel/errors.ts';

/** Of a restore point in a list: with damaged custody it is there all the same. */
export function describeDamage(pointId: string, { message, data }: AppError): string {
  if (!String(data['object']).startsWith('custody/')) {
    return `Restore point ${pointId} can't be read: ${message}`;
  }
  return (
    `Holds and retention of restore point ${pointId} can't be read: ${message} ` +
    'It can be restored, and not deleted until a copy of that object is put back.'
  );
}
