import { AppError } from '../../kernel/errors.ts';

/** VAULT_CORRUPT if an object is larger than what its reader takes; before anything is read or allocated. */
export function requireSize(name: string, sizeBytes: number, maxBytes = Infinity): void {
  if (sizeBytes > maxBytes) {
    throw new AppError('VAULT_CORRUPT', `${name} has ${sizeBytes} bytes; none of its kind has more than ${maxBytes}.`, {
      data: { object: name, sizeBytes, maxBytes },
    });
  }
}
