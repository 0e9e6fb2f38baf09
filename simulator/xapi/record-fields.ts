import type { ClassModel } from '../model/data-model.ts';
import type { Row } from '../model/values.ts';
import type { Call } from '../rpc/call.ts';
import { XapiError } from '../xapi-error.ts';

/** The fields that a constructor takes from the caller's record; a missing one without a default is an error. */
export function constructorFields(call: Call, className: string): Row {
  const owner: ClassModel | undefined = call.pool.db.model.classes.get(className);
  const given = call.record(0);
  const fields: Row = {};
  for (const field of owner?.fields.values() ?? []) {
    if (field.qualifier === 'RO/runtime') {
      continue;
    }
    const value = given[field.name];
    if (value !== undefined) {
      fields[field.name] = value;
    } else if (field.default === undefined) {
      throw new XapiError('INTERNAL_ERROR', [`Server_helpers.Dispatcher_FieldNotFound("${field.name}")`]);
    }
  }
  return fields;
}
