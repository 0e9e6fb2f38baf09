import {
  getNamedType,
  isLeafType,
  isObjectType,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLOutputType,
} from 'graphql';

const DEEPEST = 6;

/** Everything that can be asked without arguments, but for other objects with ids, which REST names by id alone. */
export function fullSelection(field: GraphQLField<unknown, unknown>): string {
  const type = getNamedType(field.type);
  return isObjectType(type) ? selectionOf(type, 0) : '';
}

function selectionOf(type: GraphQLObjectType, depth: number): string {
  const envelope = /(Payload|Connection|Edge)$/.test(type.name);
  const fields = Object.values(type.getFields()).filter(({ args, type: of }) => {
    return args.length === 0 && depth < DEEPEST && (envelope || !isNode(of));
  });
  const parts = fields.map((field) => {
    const of = getNamedType(field.type);
    return isLeafType(of)
      ? field.name
      : `${field.name} ${isObjectType(of) ? selectionOf(of, depth + 1) : '{ __typename }'}`;
  });
  return `{ ${parts.join(' ')} }`;
}

function isNode(type: GraphQLOutputType): boolean {
  const named = getNamedType(type);
  return isObjectType(named) && named.getInterfaces().some(({ name }) => name === 'Node');
}
