import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../model/database.ts';
import type { Value } from '../model/values.ts';
import type { Call, Handlers } from '../rpc/call.ts';
import { XapiError } from '../xapi-error.ts';

interface Subscription {
  readonly all: boolean;
  readonly classes: ReadonlySet<string>;
  /** `class/ref`, the class in lower case. */
  readonly objects: ReadonlySet<string>;
}

interface Event {
  readonly order: number;
  readonly value: Record<string, Value>;
}

const COALESCE_MS = 50;
const TOKEN = /^(\d{20}),(\d{20})$/;

function toToken(generation: number): string {
  return `${String(generation).padStart(20, '0')},${'0'.repeat(20)}`;
}

function fromToken(token: string): number {
  if (token === '') {
    return 0;
  }
  const match = TOKEN.exec(token);
  if (match === null) {
    throw new XapiError('EVENT_FROM_TOKEN_PARSE_FAILURE', [token]);
  }
  return Number(match[1]);
}

function subscribe(names: readonly string[], db: Database): Subscription {
  const classes = new Set<string>();
  const objects = new Set<string>();
  for (const name of names) {
    const [className = '', ref] = splitOnce(name);
    if (name !== '*' && db.model.findClassName(className) === undefined) {
      throw new XapiError('EVENT_SUBSCRIPTION_PARSE_FAILURE', [name]);
    }
    if (ref === undefined) {
      classes.add(className.toLowerCase());
    } else {
      objects.add(`${className.toLowerCase()}/${ref}`);
    }
  }
  return { all: names.includes('*'), classes, objects };
}

function splitOnce(name: string): string[] {
  const slash = name.indexOf('/');
  return slash < 0 ? [name] : [name.slice(0, slash), name.slice(slash + 1)];
}

function wants(subscription: Subscription, table: string, ref: string): boolean {
  return subscription.all || subscription.classes.has(table) || subscription.objects.has(`${table}/${ref}`);
}

/** Sessions are never announced; everything else is. */
function collect(db: Database, subscription: Subscription, since: number): Record<string, Value>[] {
  const events: Event[] = [];
  for (const className of db.classNames().filter((each) => each !== 'session')) {
    const table = className.toLowerCase();
    for (const { ref, row, added, modified } of db.changedSince(className, since)) {
      if (wants(subscription, table, ref)) {
        const operation = added ? 'add' : 'mod';
        events.push({ order: modified, value: { ...event(modified, table, operation, ref), snapshot: { ...row } } });
      }
    }
  }
  for (const { className, ref, deleted } of db.deletedSince(since)) {
    const table = className.toLowerCase();
    if (className !== 'session' && wants(subscription, table, ref)) {
      events.push({ order: deleted, value: event(deleted, table, 'del', ref) });
    }
  }
  return events.toSorted((one, other) => one.order - other.order).map(({ value }) => value);
}

function event(id: number, table: string, operation: string, ref: string): Record<string, Value> {
  return { id, timestamp: '0.0', class: table, operation, ref };
}

async function nextChange(db: Database, milliseconds: number): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      db.changes.off('change', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    db.changes.once('change', done);
  });
}

async function from(call: Call): Promise<Value> {
  const { db, sessions } = call.pool;
  const subscription = subscribe(call.list(0), db);
  const since = fromToken(call.text(1));
  const deadline = Date.now() + call.number(2) * 1000;
  const onlyTasks = !subscription.all && subscription.classes.size === 0;
  await sleep(onlyTasks ? 0 : COALESCE_MS);
  for (;;) {
    if (!sessions.has(call.session)) {
      throw new XapiError('SESSION_INVALID', [call.session]);
    }
    const generation = db.generation;
    const events = collect(db, subscription, since);
    const left = deadline - Date.now();
    if (events.length > 0 || left <= 0) {
      return { events, valid_ref_counts: countRefs(db), token: toToken(generation) };
    }
    await nextChange(db, left);
    await sleep(onlyTasks ? 0 : COALESCE_MS);
  }
}

function countRefs(db: Database): Record<string, number> {
  return Object.fromEntries(db.classNames().map((name) => [name.toLowerCase(), db.refs(name).length]));
}

function inject(call: Call): string {
  const { db } = call.pool;
  const className = db.model.findClassName(call.text(0));
  if (className === undefined) {
    throw new XapiError('HANDLE_INVALID', [call.text(0), call.text(1)]);
  }
  const before = db.generation;
  db.touch(className, call.text(1));
  return toToken(before);
}

export const eventHandlers: Handlers = {
  'event.from': from,
  'event.inject': inject,
  'event.get_current_id': (call) => call.pool.db.generation,
};
