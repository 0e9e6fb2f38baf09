/** An error as XAPI reports it: a code and positional string parameters. */
export class XapiError extends Error {
  override readonly name: string = 'XapiError';
  readonly code: string;
  readonly params: readonly string[];

  constructor(code: string, params: readonly string[] = []) {
    super(`${code}: [ ${params.join('; ')} ]`);
    this.code = code;
    this.params = params;
  }

  /** `[CODE, p1, …]`, the form of `ErrorDescription` and `task.error_info`. */
  get description(): string[] {
    return [this.code, ...this.params];
  }
}

/** An error whose answer has been sent: only the task has to hear of it. */
export class Answered extends XapiError {
  constructor(error: XapiError) {
    super(error.code, error.params);
  }
}

export function toXapiError(error: unknown): XapiError {
  if (error instanceof XapiError) {
    return error;
  }
  return new XapiError('INTERNAL_ERROR', [error instanceof Error ? error.message : String(error)]);
}

/** A storage error by its number in sm's table, e.g. 44 for "no space". */
export function storageError(number: number, message: string): XapiError {
  return new XapiError(`SR_BACKEND_FAILURE_${number}`, ['', message, '']);
}

export function noSpace(): XapiError {
  return storageError(44, 'There is insufficient space');
}
