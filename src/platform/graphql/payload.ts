import type { ErrorCode } from '../../kernel/errors.ts';
import { isAppError } from '../../kernel/errors.ts';

export interface UserErrorView {
  readonly code: ErrorCode;
  readonly message: string;
  /** The input field at fault, from `input` down; null where no single one is. */
  readonly path: readonly string[] | null;
}

export type Payload<Name extends string, T> = Readonly<Record<Name, T | null>> & {
  readonly userErrors: readonly UserErrorView[];
};

/** Names what a mutation gives, and turns the outcomes it expects into `userErrors`. Everything else stays thrown. */
export async function payload<Name extends string, T>(
  name: Name,
  expected: readonly ErrorCode[],
  work: Promise<T>,
): Promise<Payload<Name, T>> {
  try {
    return { [name]: await work, userErrors: [] } as unknown as Payload<Name, T>;
  } catch (error) {
    if (!isAppError(error, ...expected)) {
      throw error;
    }
    const field = error.data['field'];
    const path = typeof field === 'string' ? ['input', ...field.split('.')] : null;
    return { [name]: null, userErrors: [{ code: error.code, message: error.message, path }] } as unknown as Payload<
      Name,
      T
    >;
  }
}
