import { MIB } from '../../kernel/bytes.ts';
import { AppError } from '../../kernel/errors.ts';

/**
 * Bytes that objects which are read whole have at most, by kind: far more than any has, and little enough to be read by
 * whoever meets something else at their names.
 */
export const MAX_BYTES = {
  /** Two lines. */
  repository: MIB,
  /** A header and a footer. */
  epoch: MIB,
  /** A pin takes 39 bytes: room for 400 000. */
  session: 16 * MIB,
  custody: MIB,
  /** A meta pack takes about 130 bytes, a disk a few hundred; and there is the VM's configuration. */
  point: 64 * MIB,
  /** Segments by the hundred, each of a few bytes for every block at worst. */
  journal: 256 * MIB,
  /** A pack takes 35 bytes: room for seven million, which one collection may let go. */
  condemned: 256 * MIB,
  /** A session takes 39 bytes. */
  waits: 64 * MIB,
  /** Wrapped keys and signed statements. */
  key: 16 * MIB,
} as const;

/** BAD_INPUT of what nobody would read again; for objects whose size their caller decides. */
export function requireReadable(name: string, sealed: Uint8Array, maxBytes: number): void {
  if (sealed.length > maxBytes) {
    throw new AppError('BAD_INPUT', `${name} would have ${sealed.length} bytes, and may have ${maxBytes}.`);
  }
}
