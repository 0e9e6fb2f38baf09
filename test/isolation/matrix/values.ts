import type { NodeType } from '../../../src/kernel/global-id.ts';

/** An id of the caller's own, where an argument that may be left out has to be given. */
interface Own {
  readonly own: NodeType;
  /** Not where this argument is the tested one. */
  readonly unless: string;
}

/**
 * What a generated request says where an argument's type alone doesn't: by `operation.argument`, which also gives one
 * that may be left out, or by the argument's name for all operations. An operation that the generated values don't
 * carry as far as its ids fails the matrix and gets a line here.
 */
const ARGUMENT_VALUES: Readonly<Record<string, unknown>> = {
  scopes: ['sites:read'],
  allowedAddresses: ['192.0.2.0/24'],
  eventTypes: ['site.created'],
  url: 'https://hooks.example/holdfast',
  path: '/srv/vault',
  sha256: 'ab'.repeat(32),
  first: 5,
  'registerPool.url': 'pool.example',
  'createVault.storageTargetId': { own: 'StorageTarget', unless: 'storageGrantId' } satisfies Own,
};

/** The value of an argument, if it has one here; with `exactly`, only if it is this operation's. */
export function knownValue(
  operation: string,
  argument: string,
  asked: { readonly tested: string; readonly own: (type: NodeType) => string },
  exactly = false,
): unknown {
  const value = ARGUMENT_VALUES[`${operation}.${argument}`] ?? (exactly ? undefined : ARGUMENT_VALUES[argument]);
  if (!isOwn(value)) {
    return value;
  }
  return asked.tested === value.unless ? undefined : asked.own(value.own);
}

function isOwn(value: unknown): value is Own {
  return typeof value === 'object' && value !== null && 'own' in value;
}

/** Places whose id opens nothing by itself, each with the reason. */
export const OPENS_NOTHING: Readonly<Record<string, string>> = {};
