import { getOperationAST, Kind, type DocumentNode, type FragmentDefinitionNode } from 'graphql';
import { judgeQuery, type QueryCost } from './query-limits.ts';

export interface AskedOperation {
  readonly document: DocumentNode;
  readonly operationName: string | null | undefined;
  readonly variables: Readonly<Record<string, unknown>>;
}

/** What the operation that is meant costs; undefined where the document has no such one. Throws as `judgeQuery` does. */
export function judgeDocument({ document, operationName, variables }: AskedOperation): QueryCost | undefined {
  const operation = getOperationAST(document, operationName);
  if (operation === null || operation === undefined) {
    return undefined;
  }
  const fragments = document.definitions.filter(
    (definition): definition is FragmentDefinitionNode => definition.kind === Kind.FRAGMENT_DEFINITION,
  );
  return judgeQuery(operation, {
    fragments: new Map(fragments.map((fragment) => [fragment.name.value, fragment])),
    variables,
  });
}
