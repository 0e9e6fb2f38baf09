import { request, type Dispatcher } from 'undici';

/** XAPI's error as it came over the wire, with the two fields that `xen-api` looks at. */
export class XapiFailureError extends Error {
  override readonly name = 'XapiFailureError';
  readonly code: string;
  readonly params: readonly string[];

  constructor(code: string, params: readonly string[]) {
    super(code);
    this.code = code;
    this.params = params;
  }
}

/** The host answered, but not as a XAPI does. */
export class NotXapiError extends Error {
  override readonly name = 'NotXapiError';
}

interface Answer {
  readonly result?: unknown;
  readonly error?: { readonly message?: unknown; readonly data?: unknown } | readonly unknown[] | null;
}

let lastId = 0;

/**
 * One call over `/jsonrpc` (JSON-RPC 2.0; the older dialect's errors are understood too).
 * Throws XapiFailureError, NotXapiError, or what the connection threw.
 */
export async function callJsonRpc(
  dispatcher: Dispatcher,
  base: URL,
  method: string,
  params: readonly unknown[],
): Promise<unknown> {
  lastId += 1;
  const response = await request(new URL('/jsonrpc', base), {
    dispatcher,
    method: 'POST',
    headers: { accept: 'application/json', 'content-type': 'application/json', 'user-agent': 'holdfast' },
    body: JSON.stringify({ jsonrpc: '2.0', method, params, id: lastId }),
  });
  const text = await response.body.text();
  if (response.statusCode !== 200) {
    throw new NotXapiError(`HTTP status ${response.statusCode}`);
  }
  return resultOf(text);
}

function resultOf(text: string): unknown {
  let answer: Answer | null;
  try {
    answer = JSON.parse(text) as Answer | null;
  } catch (error) {
    throw new NotXapiError('the answer is not JSON', { cause: error });
  }
  const error = answer?.error;
  if (error !== undefined && error !== null) {
    throw failureOf(error);
  }
  if (answer === null || !('result' in answer)) {
    throw new NotXapiError('the answer is no JSON-RPC response');
  }
  return answer.result;
}

function failureOf(error: NonNullable<Answer['error']>): XapiFailureError {
  if ('message' in error) {
    const { message, data } = error;
    return new XapiFailureError(String(message), Array.isArray(data) ? data.map(String) : []);
  }
  const [code, ...params] = Array.isArray(error) ? error : ['INTERNAL_ERROR'];
  return new XapiFailureError(String(code), params.map(String));
}
