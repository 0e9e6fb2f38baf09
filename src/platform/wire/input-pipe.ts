import type { PipeTransform } from '@nestjs/common';
import type { ZodType } from 'zod';
import { fromGlobalId, notFound, type NodeKey, type NodeType } from '../../kernel/global-id.ts';
import { parseInput } from './parse-input.ts';

/** `@Args('input', inputPipe(createSiteInput))`, `@Body(inputPipe(createSiteBody))`. */
export function inputPipe<T>(schema: ZodType<T>): PipeTransform<unknown, T> {
  return { transform: (value) => parseInput(schema, value) };
}

/** A single global id: `@Args('id', idPipe('Site'))`, `@Param('siteId', idPipe('Site'))`. */
export function idPipe(type: NodeType): PipeTransform<unknown, NodeKey> {
  return {
    transform: (value) => {
      if (typeof value !== 'string') {
        throw notFound(type);
      }
      return fromGlobalId(type, value);
    },
  };
}
