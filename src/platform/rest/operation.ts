import { applyDecorators } from '@nestjs/common';
import { ApiBody, ApiHeader, ApiOperation, ApiParam, ApiQuery, ApiResponse } from '@nestjs/swagger';
import { z } from 'zod';
import type { NodeType } from '../../kernel/global-id.ts';
import { pageInfoView } from '../paging/connection.ts';
import { RequiresPermission, type Requirement } from '../auth/requires-permission.ts';
import { openApiSchema } from './json-schema.ts';

export interface OperationSpec {
  readonly summary: string;
  readonly permission: Requirement;
  readonly status?: 200 | 201 | 202 | 204;
  /** The body that is sent. */
  readonly body?: z.ZodType;
  /** What comes back; `list` of it where a page does. */
  readonly returns?: z.ZodType;
  readonly list?: boolean;
  /** Path parameters that are global ids, with their types. */
  readonly ids?: Readonly<Record<string, NodeType>>;
  /** Query parameters beyond the page's, and the type of object where one is a global id. */
  readonly query?: Readonly<Record<string, NodeType | 'text'>>;
  /** Takes `Idempotency-Key`, or needs it. */
  readonly idempotencyKey?: 'required' | 'optional';
  readonly ifMatch?: boolean;
}

/** Everything about a REST operation but its path: the permission it needs and what OpenAPI says of it. */
export function Operation(spec: OperationSpec): MethodDecorator {
  const { summary, permission, status = 200, returns } = spec;
  const schema =
    returns === undefined ? undefined : openApiSchema(spec.list === true ? listOf(returns) : returns, 'output');
  return applyDecorators(
    RequiresPermission(permission),
    ApiOperation({ summary }),
    ApiResponse({ status, description: 'Done.', ...(schema === undefined ? {} : { schema }) }),
    ApiResponse({ status: 'default', description: 'RFC 9457 problem.', content: { 'application/problem+json': {} } }),
    ...(spec.body === undefined ? [] : [ApiBody({ schema: openApiSchema(spec.body, 'input') })]),
    ...Object.entries(spec.ids ?? {}).map(([name, type]) => ApiParam({ name, schema: idSchema(type) })),
    ...Object.entries(spec.query ?? {}).map(([name, type]) =>
      ApiQuery({ name, required: false, schema: type === 'text' ? { type: 'string' } : idSchema(type) }),
    ),
    ...(spec.list === true ? pageParameters() : []),
    ...(spec.idempotencyKey === undefined
      ? []
      : [ApiHeader({ name: 'Idempotency-Key', required: spec.idempotencyKey === 'required' })]),
    ...(spec.ifMatch === true
      ? [ApiHeader({ name: 'If-Match', required: false, description: 'The ETag that was read.' })]
      : []),
  );
}

function idSchema(type: NodeType): { type: 'string'; description: string; 'x-holdfast-id': NodeType } {
  return { type: 'string', description: `Global id of a ${type}.`, 'x-holdfast-id': type };
}

function pageParameters(): MethodDecorator[] {
  const number = { type: 'integer' as const, minimum: 1, maximum: 100 };
  return [
    ApiQuery({ name: 'first', required: false, schema: number }),
    ApiQuery({ name: 'after', required: false, schema: { type: 'string' } }),
    ApiQuery({ name: 'last', required: false, schema: number }),
    ApiQuery({ name: 'before', required: false, schema: { type: 'string' } }),
  ];
}

function listOf(item: z.ZodType): z.ZodType {
  return z.object({ items: z.array(item), pageInfo: pageInfoView });
}
