import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { XapiError } from '../xapi-error.ts';
import type { DataModel } from './data-model.ts';
import { emptyRow } from './defaults.ts';
import { RELATIONS } from './relations.ts';
import { NULL_REF, type Row, type Value, asList, asMap, asNumber, asText, newRef } from './values.ts';

interface Entry {
  readonly row: Row;
  readonly created: number;
  modified: number;
}

export interface Deletion {
  readonly className: string;
  readonly ref: string;
  readonly created: number;
  readonly deleted: number;
}

const KEPT_DELETIONS = 20_000;

/**
 * The objects of one pool. Every change gets the next generation number, which is what `event.from` reads;
 * listeners hear `change` after it.
 */
export class Database {
  readonly model: DataModel;
  readonly changes = new EventEmitter<{ change: [] }>().setMaxListeners(0);
  readonly #tables = new Map<string, Map<string, Entry>>();
  readonly #deletions: Deletion[] = [];
  #generation = 0;

  constructor(model: DataModel) {
    this.model = model;
  }

  get generation(): number {
    return this.#generation;
  }

  /** Adds an object; fields that are not given take the data model's defaults. */
  create(className: string, fields: Row, ref = newRef()): string {
    const row = { ...emptyRow(className, this.model), uuid: randomUUID(), ...fields };
    const generation = this.#next();
    this.#table(className).set(ref, { row, created: generation, modified: generation });
    this.#relate(className, ref, {}, row);
    this.#announce();
    return ref;
  }

  set(className: string, ref: string, fields: Row): void {
    const entry = this.#entry(className, ref);
    const before = { ...entry.row };
    Object.assign(entry.row, fields);
    entry.modified = this.#next();
    this.#relate(className, ref, before, entry.row);
    this.#announce();
  }

  /** Marks an object as changed without changing it, so that its event is sent again. */
  touch(className: string, ref: string): void {
    this.set(className, ref, {});
  }

  destroy(className: string, ref: string): void {
    const entry = this.#entry(className, ref);
    this.#relate(className, ref, entry.row, {});
    this.#table(className).delete(ref);
    this.#deletions.push({ className, ref, created: entry.created, deleted: this.#next() });
    if (this.#deletions.length > KEPT_DELETIONS) {
      this.#deletions.shift();
    }
    this.#announce();
  }

  has(className: string, ref: string): boolean {
    return this.#table(className).has(ref);
  }

  get(className: string, ref: string): Readonly<Row> {
    return this.#entry(className, ref).row;
  }

  refs(className: string): string[] {
    return [...this.#table(className).keys()];
  }

  rows(className: string): [string, Readonly<Row>][] {
    return [...this.#table(className)].map(([ref, entry]) => [ref, entry.row]);
  }

  /** Objects changed since a generation, for events. */
  changedSince(className: string, generation: number): { ref: string; row: Row; added: boolean; modified: number }[] {
    return [...this.#table(className)]
      .filter(([, entry]) => entry.modified > generation)
      .map(([ref, entry]) => ({
        ref,
        row: entry.row,
        added: entry.created > generation,
        modified: entry.modified,
      }));
  }

  deletedSince(generation: number): Deletion[] {
    return this.#deletions.filter((each) => each.deleted > generation && each.created <= generation);
  }

  classNames(): string[] {
    return [...this.#tables.keys()];
  }

  findByUuid(className: string, uuid: string): string | undefined {
    return this.rows(className).find(([, row]) => row['uuid'] === uuid)?.[0];
  }

  getByUuid(className: string, uuid: string): string {
    const ref = this.findByUuid(className, uuid);
    if (ref === undefined) {
      throw new XapiError('UUID_INVALID', [className, uuid]);
    }
    return ref;
  }

  value(className: string, ref: string, field: string): Value {
    return this.get(className, ref)[field] ?? '';
  }

  text(className: string, ref: string, field: string): string {
    return asText(this.value(className, ref, field));
  }

  number(className: string, ref: string, field: string): number {
    return asNumber(this.value(className, ref, field));
  }

  flag(className: string, ref: string, field: string): boolean {
    return this.value(className, ref, field) === true;
  }

  list(className: string, ref: string, field: string): string[] {
    return asList(this.value(className, ref, field));
  }

  map(className: string, ref: string, field: string): Record<string, string> {
    return asMap(this.value(className, ref, field));
  }

  #table(className: string): Map<string, Entry> {
    const known = this.#tables.get(className);
    if (known !== undefined) {
      return known;
    }
    const table = new Map<string, Entry>();
    this.#tables.set(className, table);
    return table;
  }

  #entry(className: string, ref: string): Entry {
    const entry = this.#table(className).get(ref);
    if (entry === undefined) {
      throw new XapiError('HANDLE_INVALID', [className, ref]);
    }
    return entry;
  }

  #next(): number {
    this.#generation += 1;
    return this.#generation;
  }

  #announce(): void {
    this.changes.emit('change');
  }

  #relate(className: string, ref: string, before: Row, after: Row): void {
    for (const [child, field, parent, set] of RELATIONS) {
      if (child === className && before[field] !== after[field]) {
        this.#edit(parent, asText(before[field]), set, (refs) => refs.filter((each) => each !== ref));
        this.#edit(parent, asText(after[field]), set, (refs) => [...refs, ref]);
      }
    }
  }

  #edit(className: string, ref: string, field: string, change: (refs: string[]) => string[]): void {
    const entry = ref === NULL_REF ? undefined : this.#table(className).get(ref);
    if (entry !== undefined) {
      entry.row[field] = change(asList(entry.row[field]));
      entry.modified = this.#next();
    }
  }
}
