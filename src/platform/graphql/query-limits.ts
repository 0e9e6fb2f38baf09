import {
  Kind,
  type ArgumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import { AppError } from '../../kernel/errors.ts';

/** What one operation may ask for at most. */
export const QUERY_LIMITS = { depth: 12, rootFields: 20, aliases: 50, selections: 5_000, cost: 20_000 } as const;

export interface QueryCost {
  /** Objects that the operation may read: one for each object field, times the page sizes above it. */
  readonly requested: number;
  readonly maximum: number;
}

interface Asked {
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly variables: Readonly<Record<string, unknown>>;
}

interface Sum {
  cost: number;
  aliases: number;
  /** Fields and fragments that were looked at; a few fragments that spread each other are millions. */
  selections: number;
}

/** Judges an operation before anything of it runs. Throws COST_EXCEEDED, naming the limit. */
export function judgeQuery(operation: OperationDefinitionNode, { fragments, variables }: Asked): QueryCost {
  const sum: Sum = { cost: 0, aliases: 0, selections: 0 };
  const asked = { fragments, variables: { ...defaultsOf(operation), ...variables } };
  const roots = fieldsOf(operation.selectionSet, asked, sum);
  refuseAbove('rootFields', roots.length);
  addFields(roots, asked, sum, { depth: 1, times: 1 });
  refuseAbove('aliases', sum.aliases);
  refuseAbove('cost', sum.cost);
  return { requested: sum.cost, maximum: QUERY_LIMITS.cost };
}

function addFields(fields: readonly FieldNode[], asked: Asked, sum: Sum, at: { depth: number; times: number }): void {
  refuseAbove('depth', at.depth);
  for (const field of fields) {
    sum.aliases += field.alias === undefined ? 0 : 1;
    if (field.selectionSet === undefined) {
      continue;
    }
    sum.cost += at.times;
    refuseAbove('cost', sum.cost);
    const times = at.times * pageSizeOf(field, asked);
    addFields(fieldsOf(field.selectionSet, asked, sum), asked, sum, { depth: at.depth + 1, times });
  }
}

/** Introspection is public and bounded by the server itself. */
function fieldsOf(set: SelectionSetNode, asked: Asked, sum: Sum): FieldNode[] {
  sum.selections += set.selections.length;
  refuseAbove('selections', sum.selections);
  return set.selections.flatMap((selection) => {
    if (selection.kind === Kind.FIELD) {
      return selection.name.value.startsWith('__') ? [] : [selection];
    }
    const inside = selection.kind === Kind.INLINE_FRAGMENT ? selection : asked.fragments.get(selection.name.value);
    return inside === undefined ? [] : fieldsOf(inside.selectionSet, asked, sum);
  });
}

/** What a variable is where the request leaves it out. */
function defaultsOf({ variableDefinitions = [] }: OperationDefinitionNode): Record<string, unknown> {
  return Object.fromEntries(
    variableDefinitions.flatMap(({ variable, defaultValue }) =>
      defaultValue !== undefined && 'value' in defaultValue ? [[variable.name.value, Number(defaultValue.value)]] : [],
    ),
  );
}

function pageSizeOf(field: FieldNode, { variables }: Asked): number {
  const sizes = (field.arguments ?? [])
    .filter(({ name }) => name.value === 'first' || name.value === 'last')
    .map(({ value }) => sizeOf(value, variables));
  return Math.max(1, ...sizes);
}

function sizeOf(value: ArgumentNode['value'], variables: Asked['variables']): number {
  const size = value.kind === Kind.VARIABLE ? variables[value.name.value] : 'value' in value ? Number(value.value) : 1;
  return typeof size === 'number' && size > 1 ? size : 1;
}

function refuseAbove(limit: keyof typeof QUERY_LIMITS, value: number): void {
  const most = QUERY_LIMITS[limit];
  if (value > most) {
    throw new AppError('COST_EXCEEDED', `The operation goes beyond the limit for ${limit}, which is ${most}.`, {
      data: { limit, most },
    });
  }
}
