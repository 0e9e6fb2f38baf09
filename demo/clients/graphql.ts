import { randomUUID } from 'node:crypto';

interface Answer<T> {
  readonly data?: T | null;
  readonly errors?: readonly { readonly message: string; readonly extensions: { readonly code: string } }[];
}

interface UserErrors {
  readonly userErrors: readonly { readonly code: string; readonly message: string }[];
}

/** One tenant's way to the API: its address and a token. */
export class GraphqlClient {
  readonly url: string;
  readonly token: string;

  constructor(url: string, token: string) {
    this.url = url;
    this.token = token;
  }

  /** The data of a request that has to succeed. */
  async query<T>(document: string, variables: Readonly<Record<string, unknown>> = {}): Promise<T> {
    const response = await this.send(document, variables);
    const answer = (await response.json()) as Answer<T>;
    if (answer.errors !== undefined || answer.data === undefined || answer.data === null) {
      const said = answer.errors?.map(({ message, extensions }) => `${extensions.code}: ${message}`).join('; ');
      throw new Error(said ?? `the API answered ${response.status} without data`);
    }
    return answer.data;
  }

  /** The payload of a mutation that has to succeed, each time under a new idempotency key. */
  async mutate<T>(field: string, selection: string, input: Readonly<Record<string, unknown>>): Promise<T> {
    const type = `${field.charAt(0).toUpperCase()}${field.slice(1)}Input`;
    const document = `mutation ($input: ${type}!) { ${field}(input: $input) { ${selection} userErrors { code message } } }`;
    const variables = { input: { ...input, idempotencyKey: randomUUID() } };
    const data = await this.query<Record<string, T & UserErrors>>(document, variables);
    const payload = data[field];
    const [refusal] = payload?.userErrors ?? [];
    if (payload === undefined || refusal !== undefined) {
      throw new Error(`${field} was refused: ${refusal?.code ?? ''} ${refusal?.message ?? ''}`);
    }
    return payload;
  }

  async send(document: string, variables: Readonly<Record<string, unknown>>): Promise<Response> {
    return await this.request('POST', '/graphql', { query: document, variables });
  }

  async request(method: string, path: string, body?: unknown): Promise<Response> {
    return await fetch(new URL(path, this.url), {
      method,
      headers: {
        authorization: `Bearer ${this.token}`,
        // The same for all: two answers to the same question are then the same to the byte.
        'x-request-id': 'demo',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }
}
