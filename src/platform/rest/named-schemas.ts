import type { OpenAPIObject } from '@nestjs/swagger';

type Json = unknown;

/**
 * Schemas with a name (views and their parts) stand once, under components, where generated clients find their types;
 * each operation's own `$defs` would be refs that lead nowhere, since a ref begins at the document's root.
 */
export function withNamedSchemas(document: OpenAPIObject): OpenAPIObject {
  const named: Record<string, Json> = {};
  const paths = hoist(document.paths, named) as OpenAPIObject['paths'];
  const schemas = { ...document.components?.schemas, ...named } as NonNullable<OpenAPIObject['components']>['schemas'];
  return { ...document, paths, components: { ...document.components, ...(schemas === undefined ? {} : { schemas }) } };
}

function hoist(value: Json, named: Record<string, Json>): Json {
  if (Array.isArray(value)) {
    return value.map((item) => hoist(item, named));
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  const { $defs = {}, ...rest } = value as { readonly $defs?: Readonly<Record<string, Json>> };
  for (const [name, schema] of Object.entries($defs)) {
    named[name] = hoist(schema, named);
  }
  return Object.fromEntries(
    Object.entries(rest).map(([key, item]) => [
      key,
      key === '$ref' && typeof item === 'string'
        ? item.replace(/^#\/\$defs\//, '#/components/schemas/')
        : hoist(item, named),
    ]),
  );
}
