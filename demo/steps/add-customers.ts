import { GraphqlClient } from '../clients/graphql.ts';
import type { Account } from '../story.ts';
import type { Customer } from '../world.ts';

/** The provider takes two customers on; each gets a token of its own. */
export async function addCustomers(
  provider: GraphqlClient,
  account: Account,
): Promise<{ readonly acme: Customer; readonly zenith: Customer }> {
  const acme = await addCustomer(provider, 'Acme');
  const zenith = await addCustomer(provider, 'Zenith');
  account.detail = 'Acme and Zenith are tenants below the provider, each with an API token of its own';
  return { acme, zenith };
}

async function addCustomer(provider: GraphqlClient, name: string): Promise<Customer> {
  const { tenant } = await provider.mutate<{ tenant: { id: string } }>('createTenant', 'tenant { id }', {
    kind: 'CUSTOMER',
    name,
  });
  const { secret } = await provider.mutate<{ secret: string }>('createToken', 'secret', {
    tenantId: tenant.id,
    name: `${name} automation`,
    scopes: ['ADMIN'],
  });
  return { tenantId: tenant.id, api: new GraphqlClient(provider.url, secret) };
}
