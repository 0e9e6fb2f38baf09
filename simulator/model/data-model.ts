import { existsSync, readFileSync } from 'node:fs';

export interface FieldModel {
  readonly name: string;
  readonly type: string;
  /** `RO/runtime`, `RO/constructor` or `RW`. */
  readonly qualifier: string;
  readonly default?: string;
}

export interface MessageModel {
  readonly name: string;
  readonly result: string;
  /** Type, name, and 1 where required; the session comes first where there is one. */
  readonly params: readonly (readonly [string, string, 0 | 1])[];
  /** The least role that may call it. */
  readonly role?: string;
  readonly removed?: true;
}

export interface ClassModel {
  readonly name: string;
  readonly fields: ReadonlyMap<string, FieldModel>;
  readonly messages: ReadonlyMap<string, MessageModel>;
}

interface StoredClass {
  readonly name: string;
  readonly fields: readonly FieldModel[];
  readonly messages: readonly MessageModel[];
  readonly enums: readonly { readonly name: string; readonly values: readonly string[] }[];
}

/** XAPI's data model: every class, field, enum and message by name. */
export class DataModel {
  readonly classes: ReadonlyMap<string, ClassModel>;
  readonly enums: ReadonlyMap<string, ReadonlySet<string>>;
  readonly #byLowerCase: ReadonlyMap<string, string>;

  constructor(stored: readonly StoredClass[]) {
    this.classes = new Map(
      stored.map((each) => [
        each.name,
        {
          name: each.name,
          fields: new Map(each.fields.map((field) => [field.name, field])),
          messages: new Map(each.messages.map((message) => [message.name, message])),
        },
      ]),
    );
    this.enums = new Map(stored.flatMap((each) => each.enums).map((each) => [each.name, new Set(each.values)]));
    this.#byLowerCase = new Map(stored.map((each) => [each.name.toLowerCase(), each.name]));
  }

  /** Class names are lower-cased in events; this finds the way back. */
  findClassName(anyCase: string): string | undefined {
    return this.#byLowerCase.get(anyCase.toLowerCase());
  }

  findMessage(method: string): { readonly owner: ClassModel; readonly message: MessageModel } | undefined {
    const [className = '', name = ''] = method.split('.');
    const owner = this.classes.get(className);
    const message = owner?.messages.get(name);
    return owner === undefined || message === undefined ? undefined : { owner, message };
  }
}

export function loadDataModel(): DataModel {
  return new DataModel(JSON.parse(readFileSync(generatedFile('xenapi.json'), 'utf8')) as readonly StoredClass[]);
}

/** Generated data lies in the source tree only; code that was built to `dist/` reads it there. */
function generatedFile(name: string): URL {
  const beside = new URL(`../datamodel/generated/${name}`, import.meta.url);
  return existsSync(beside) ? beside : new URL(`../../../simulator/datamodel/generated/${name}`, import.meta.url);
}
