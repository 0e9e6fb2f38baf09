import type { ApiResponseOptions } from '@nestjs/swagger';
import { z } from 'zod';

type SchemaOf<T> = T extends { schema: infer S } ? S : never;
export type SchemaObject = Exclude<SchemaOf<ApiResponseOptions>, { $ref: string }>;

/** A zod schema as OpenAPI 3.1 has it. `input` is what a client sends, `output` what it gets. */
export function openApiSchema(schema: z.ZodType, io: 'input' | 'output'): SchemaObject {
  const json = z.toJSONSchema(schema, {
    io,
    target: 'draft-2020-12',
    unrepresentable: 'any',
    reused: 'inline',
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema instanceof z.ZodDate) {
        jsonSchema.type = 'string';
        jsonSchema.format = 'date-time';
      }
      delete jsonSchema.id;
      if (jsonSchema.properties !== undefined) {
        delete jsonSchema.properties['__typename'];
        jsonSchema.required = jsonSchema.required?.filter((name) => name !== '__typename') ?? [];
      }
    },
  });
  delete json.$schema;
  return json as SchemaObject;
}
