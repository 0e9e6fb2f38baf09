import type { ClassModel } from '../model/data-model.ts';
import type { Value } from '../model/values.ts';
import { XapiError } from '../xapi-error.ts';
import type { Call, Handler } from './call.ts';

/** The getters and setters that XAPI generates for every class; undefined where a message is none of them. */
export function genericHandler(owner: ClassModel, name: string): Handler | undefined {
  return wholeObjects(owner, name) ?? getter(owner, name) ?? setter(owner, name);
}

function wholeObjects(owner: ClassModel, name: string): Handler | undefined {
  const className = owner.name;
  switch (name) {
    case 'get_all':
      return ({ pool }) => pool.db.refs(className);
    case 'get_all_records':
      return ({ pool }) => Object.fromEntries(pool.db.rows(className).map(([ref, row]) => [ref, { ...row }]));
    case 'get_record':
      return (call) => ({ ...call.pool.db.get(className, call.text(0)) });
    case 'get_by_uuid':
      return (call) => call.pool.db.getByUuid(className, call.text(0));
    case 'get_by_name_label':
      return (call) =>
        call.pool.db
          .rows(className)
          .filter(([, row]) => row['name_label'] === call.text(0))
          .map(([ref]) => ref);
    default:
      return undefined;
  }
}

function getter(owner: ClassModel, name: string): Handler | undefined {
  const field = name.startsWith('get_') ? owner.fields.get(name.slice(4)) : undefined;
  return field === undefined ? undefined : (call) => call.pool.db.value(owner.name, call.text(0), field.name);
}

/** How each kind of setter makes the new value from the old one and the call's arguments. */
const SETTERS: readonly (readonly [string, (call: Call, field: string, owner: ClassModel) => Value])[] = [
  ['add_to_', (call, field, owner) => addToMap(call, field, owner)],
  [
    'remove_from_',
    (call, field, owner) => {
      const { [call.text(1)]: _removed, ...rest } = call.pool.db.map(owner.name, call.text(0), field);
      return rest;
    },
  ],
  ['set_', (call) => call.args[1] ?? ''],
  ['add_', (call, field, owner) => [...new Set([...call.pool.db.list(owner.name, call.text(0), field), call.text(1)])]],
  [
    'remove_',
    (call, field, owner) => call.pool.db.list(owner.name, call.text(0), field).filter((each) => each !== call.text(1)),
  ],
];

function setter(owner: ClassModel, name: string): Handler | undefined {
  for (const [prefix, change] of SETTERS) {
    const field = name.startsWith(prefix) ? owner.fields.get(name.slice(prefix.length)) : undefined;
    if (field !== undefined) {
      return (call) => {
        call.pool.db.set(owner.name, call.text(0), { [field.name]: change(call, field.name, owner) });
        return '';
      };
    }
  }
  return undefined;
}

function addToMap(call: Call, field: string, owner: ClassModel): Value {
  const { db } = call.pool;
  const before = db.map(owner.name, call.text(0), field);
  const key = call.text(1);
  if (Object.hasOwn(before, key)) {
    throw new XapiError('MAP_DUPLICATE_KEY', [owner.name, field, db.text(owner.name, call.text(0), 'uuid'), key]);
  }
  return { ...before, [key]: call.text(2) };
}
