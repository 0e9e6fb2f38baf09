import type { Account } from '../story.ts';
import type { World } from '../world.ts';

/** A billing system registers for the usage of everybody below the provider. */
export async function listenForUsage({ provider, receiver }: World, account: Account): Promise<void> {
  const url = await receiver.listen();
  const { secret } = await provider.mutate<{ secret: string }>(
    'createWebhookEndpoint',
    'webhookEndpoint { id } secret',
    { name: 'Billing', url, eventTypes: ['usage.*'], reach: 'SUBTREE' },
  );
  receiver.trust(secret);
  account.detail = `a billing system listens at ${url}, and trusts signatures of its own secret only`;
}
