import { createHash } from 'node:crypto';
import { AppError } from '../../kernel/errors.ts';
import type { Sealer } from '../secrets/sealer.ts';

/** Makes cursors that only this list of this tenant, with this filter and sort, takes back. */
export class CursorCodec {
  constructor(private readonly sealer: Sealer) {}

  encode(values: readonly string[], list: string): string {
    return this.sealer.seal(Buffer.from(JSON.stringify(values)), digest(list)).toString('base64url');
  }

  /** Throws BAD_CURSOR for anything that `encode` didn't make for this list. */
  decode(cursor: string, list: string): string[] {
    const plain = this.sealer.open(Buffer.from(cursor, 'base64url'), digest(list));
    if (plain === null) {
      throw new AppError('BAD_CURSOR', 'The cursor does not belong to this list.');
    }
    return JSON.parse(plain.toString()) as string[];
  }
}

function digest(list: string): string {
  return createHash('sha256').update(list).digest('base64');
}
