import { z } from 'zod';
import { listArgs, listQuery } from '../../platform/paging/page-args.ts';
import { optional } from '../../platform/wire/fields.ts';

export const listPoolVmsArgs = listArgs({ includeGone: optional(z.boolean()) });
export type ListPoolVmsArgs = z.infer<typeof listPoolVmsArgs>;
export const listPoolVmsQuery = listQuery({ includeGone: z.stringbool().optional() });
