import { type Value, toDatetime } from '../model/values.ts';
import type { Database } from '../model/database.ts';
import { encodeXml } from '../rpc/xml-encode.ts';
import { XapiError, toXapiError } from '../xapi-error.ts';

const MOST_TASKS = 200;

/** The tasks of a pool: rows that clients see, and the switch that cancels what runs behind them. */
export class Tasks {
  readonly #db: Database;
  readonly #running = new Map<string, AbortController>();

  constructor(db: Database) {
    this.#db = db;
  }

  /** Like XAPI, keeps two hundred tasks: beyond that the oldest completed ones go, whether somebody read them or not. */
  #collectGarbage(): void {
    const tasks = this.#db.rows('task');
    const surplus = tasks.length - MOST_TASKS;
    const completed = tasks.filter(([, row]) => row['status'] !== 'pending');
    for (const [ref] of completed.slice(0, Math.max(surplus, 0))) {
      this.#remove(ref);
    }
  }

  create(label: string, description: string, fields: { readonly hostRef: string; readonly parent?: string }): string {
    const ref = this.#db.create('task', {
      name_label: label,
      name_description: description,
      created: toDatetime(Date.now()),
      status: 'pending',
      type: '<none/>',
      resident_on: fields.hostRef,
      backtrace: '()',
      allowed_operations: ['cancel', 'destroy'],
      ...(fields.parent === undefined ? {} : { subtask_of: fields.parent }),
    });
    this.#running.set(ref, new AbortController());
    this.#collectGarbage();
    return ref;
  }

  /** Aborted when somebody cancels the task. */
  signal(ref: string): AbortSignal | undefined {
    return this.#running.get(ref)?.signal;
  }

  progress(ref: string, progress: number): void {
    if (this.#isPending(ref)) {
      this.#db.set('task', ref, { progress });
    }
  }

  succeed(ref: string, result: Value, resultType: string): void {
    const text = resultType === 'void' ? '' : encodeXml(result, resultType, this.#db.model);
    this.#finish(ref, { result: text, status: 'success' });
  }

  fail(ref: string, error: unknown): void {
    const failure = toXapiError(error);
    const status = failure.code === 'TASK_CANCELLED' ? 'cancelled' : 'failure';
    this.#finish(ref, { error_info: failure.description, status });
  }

  cancel(ref: string): void {
    this.#db.get('task', ref);
    if (!this.#isPending(ref)) {
      return;
    }
    this.#db.set('task', ref, { current_operations: { [ref]: 'cancel' } });
    this.#running.get(ref)?.abort(new XapiError('TASK_CANCELLED', [ref]));
  }

  /** A pending task is only marked; it goes when it is complete. */
  destroy(ref: string): void {
    this.#db.get('task', ref);
    if (this.#isPending(ref)) {
      this.#db.set('task', ref, { current_operations: { [ref]: 'destroy' } });
      return;
    }
    this.#remove(ref);
  }

  #finish(ref: string, fields: Record<string, Value>): void {
    if (!this.#isPending(ref)) {
      return;
    }
    const marked = Object.values(this.#db.map('task', ref, 'current_operations')).includes('destroy');
    this.#db.set('task', ref, {
      allowed_operations: [],
      current_operations: {},
      finished: toDatetime(Date.now()),
      progress: 1,
      ...fields,
    });
    this.#running.delete(ref);
    if (marked) {
      this.#remove(ref);
    }
  }

  #remove(ref: string): void {
    this.#running.delete(ref);
    this.#db.destroy('task', ref);
  }

  #isPending(ref: string): boolean {
    return this.#db.has('task', ref) && this.#db.text('task', ref, 'status') === 'pending';
  }
}
