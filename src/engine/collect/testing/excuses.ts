import { isAppError, type ErrorCode } from '../../../kernel/errors.ts';

/** Whoever could not end a session in time finds it taken for dead. */
const ALWAYS: readonly ErrorCode[] = ['SESSION_FENCED'];
/** What can't be read of an object is damage for as long as that lasts. */
const OF_DAMAGE: readonly ErrorCode[] = ['VAULT_CORRUPT', 'VAULT_OBJECT_MISSING'];

/** What somebody's work may fail of since its store failed: of that, and of nothing else. */
export class Excuses {
  readonly #codes = new Set<ErrorCode>();

  add(error: unknown): void {
    if (!isAppError(error)) {
      return;
    }
    const codes = typeof error.data['object'] === 'string' ? [error.code, ...OF_DAMAGE] : [error.code];
    [...codes, ...ALWAYS].forEach((code) => this.#codes.add(code));
  }

  /** Other work begins. */
  clear(): void {
    this.#codes.clear();
  }

  excuse(error: unknown): boolean {
    return isAppError(error) && this.#codes.has(error.code);
  }
}
