import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { startApi, type ApiOptions, type RunningApi } from '../../src/main/api.ts';
import { FirstStart } from '../../src/platform/auth/first-start.ts';
import { createTestDatabase, type TestDatabase } from './test-database.ts';
import { testTemporal } from './test-temporal.ts';

export interface GraphqlAnswer {
  readonly status: number;
  readonly body: { readonly data?: Record<string, unknown> | null; readonly errors?: readonly GraphqlProblem[] };
  readonly headers: Headers;
}

export interface GraphqlProblem {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions: Record<string, unknown>;
}

export interface RestAnswer {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Headers;
}

export interface RestRequest {
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

/** An api process on a database of its own, with the provider and its first token. */
export class TestApi {
  private constructor(
    readonly running: RunningApi,
    readonly database: TestDatabase,
    readonly administrator: { readonly tenantId: string; readonly token: string },
    private readonly folder: string,
    readonly keyFile: string,
  ) {}

  static async start(options: Partial<ApiOptions> = {}): Promise<TestApi> {
    const database = await createTestDatabase();
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-api-'));
    const keyFile = join(folder, 'control.key');
    const running = await startApi({
      databaseUrl: database.url,
      temporal: testTemporal(),
      keyFile,
      host: '127.0.0.1',
      port: 0,
      ...options,
    });
    const administrator = await running.app.get(FirstStart).createProvider('Provider');
    if (administrator === null) {
      throw new Error('the template database is not empty');
    }
    return new TestApi(running, database, administrator, folder, keyFile);
  }

  async stop(): Promise<void> {
    await this.running.close();
    await this.database.drop();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** One statement as the superuser, past every policy. */
  async sql<Row>(statement: string, values: readonly unknown[] = []): Promise<Row[]> {
    const client = new Client({ connectionString: this.database.adminUrl });
    await client.connect();
    try {
      return (await client.query(statement, [...values])).rows as Row[];
    } finally {
      await client.end();
    }
  }

  async graphql(token: string | null, query: string, variables: Record<string, unknown> = {}): Promise<GraphqlAnswer> {
    const { status, body, headers } = await this.rest(token, 'POST', '/graphql', { body: { query, variables } });
    return { status, body: body as GraphqlAnswer['body'], headers };
  }

  /** The data of a request that must succeed. */
  async data<T>(token: string, query: string, variables: Record<string, unknown> = {}): Promise<T> {
    const { body } = await this.graphql(token, query, variables);
    if (body.errors !== undefined) {
      throw new Error(JSON.stringify(body.errors, null, 2));
    }
    return body.data as T;
  }

  async rest(token: string | null, method: string, path: string, request: RestRequest = {}): Promise<RestAnswer> {
    const response = await fetch(`${this.running.url}${path}`, {
      method,
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...request.headers,
      },
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') === true;
    return { status: response.status, body: isJson ? JSON.parse(text) : text, headers: response.headers };
  }
}
