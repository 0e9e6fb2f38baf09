/**
 * Trims XAPI's published data model to what the simulator needs and writes it beside this file:
 *
 *     node simulator/datamodel/trim.ts path/to/xenapi.json path/to/xenapi-errors.json
 *
 * The input is the `xenapi.json` that xen-api's own generator (`ocaml/idl/json_backend`) writes. Every class, field,
 * enum and message stays; descriptions and release histories go.
 */
import { readFileSync, writeFileSync } from 'node:fs';

interface SourceLifecycle {
  readonly state: string;
}

interface SourceClass {
  readonly name: string;
  readonly fields: readonly {
    readonly name: string;
    readonly type: string;
    readonly qualifier: string;
    readonly default?: string;
    readonly lifecycle: SourceLifecycle;
  }[];
  readonly messages: readonly {
    readonly name: string;
    readonly result: readonly string[];
    readonly params: readonly { readonly type: string; readonly name: string; readonly required: boolean }[];
    readonly roles: readonly string[];
    readonly lifecycle: SourceLifecycle;
  }[];
  readonly enums: readonly { readonly name: string; readonly values: readonly { readonly name: string }[] }[];
}

const ROLES = ['read-only', 'vm-operator', 'vm-admin', 'vm-power-admin', 'pool-operator', 'pool-admin'];

function trimClass(source: SourceClass): string {
  return JSON.stringify({
    name: source.name,
    fields: source.fields.map((field) => ({
      name: field.name,
      type: field.type,
      qualifier: field.qualifier,
      default: field.default,
    })),
    messages: source.messages.map((message) => ({
      name: message.name,
      result: message.result[0],
      params: message.params.map((param) => [param.type, param.name, param.required ? 1 : 0]),
      role: ROLES.find((role) => message.roles.includes(role)),
      removed: message.lifecycle.state === 'Removed_s' ? true : undefined,
    })),
    enums: source.enums.map((each) => ({ name: each.name, values: each.values.map((value) => value.name) })),
  });
}

const [modelPath, errorsPath] = process.argv.slice(2);
if (modelPath === undefined || errorsPath === undefined) {
  throw new Error('usage: node simulator/datamodel/trim.ts XENAPI_JSON XENAPI_ERRORS_JSON');
}
const classes = JSON.parse(readFileSync(modelPath, 'utf8')) as readonly SourceClass[];
const model = `[\n${classes.map(trimClass).join(',\n')}\n]\n`;
writeFileSync(new URL('generated/xenapi.json', import.meta.url), model);
const { errors } = JSON.parse(readFileSync(errorsPath, 'utf8')) as { readonly errors: object };
writeFileSync(
  new URL('generated/error-codes.json', import.meta.url),
  `${JSON.stringify(Object.keys(errors), null, 0)}\n`,
);
