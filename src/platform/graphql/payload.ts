import type { AppError, ErrorCode } from '../../kernel/errors.ts';
import { isAppError } from '../../kernel/errors.ts';

export interface UserErrorView {
  readonly code: ErrorCode;
  readonly message: string;
  /** The input field at fault, from `input` down; null where no single one is. */
  readonly path: readonly string[] | null;
}

/** A mutation's payload with several fields, all null where `userErrors` says why. */
export type PayloadOf<T> = { readonly [K in keyof T]: T[K] | null } & { readonly userErrors: readonly UserErrorView[] };

/** The usual payload: one object and `userErrors`. */
export type Payload<Name extends string, T> = PayloadOf<Record<Name, T>>;

/** Turns the outcomes that a mutation expects into `userErrors`. Everything else stays thrown. */
export async function payloadOf<T extends object>(
  nothing: { readonly [K in keyof T]: null },
  expected: readonly ErrorCode[],
  work: Promise<T>,
): Promise<PayloadOf<T>> {
  try {
    return { ...(await work), userErrors: [] };
  } catch (error) {
    if (!isAppError(error, ...expected)) {
      throw error;
    }
    return { ...nothing, userErrors: [toUserError(error)] };
  }
}

export async function payload<Name extends string, T>(
  name: Name,
  expected: readonly ErrorCode[],
  work: Promise<T>,
): Promise<Payload<Name, T>> {
  const nothing = { [name]: null } as Record<Name, null>;
  return await payloadOf<Record<Name, T>>(
    nothing,
    expected,
    work.then((value) => ({ [name]: value }) as Record<Name, T>),
  );
}

function toUserError(error: AppError): UserErrorView {
  const field = error.data['field'];
  const path = typeof field === 'string' ? ['input', ...field.split('.')] : null;
  return { code: error.code, message: error.message, path };
}
