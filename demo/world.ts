import type { GraphqlClient } from './clients/graphql.ts';
import type { SimulatedVm, SimulatorClient } from './clients/simulator.ts';
import type { WebhookReceiver } from './clients/webhook-receiver.ts';
import type { Teller } from './console/teller.ts';

/** One customer: its tenant and its own way to the API. */
export interface Customer {
  readonly tenantId: string;
  readonly api: GraphqlClient;
}

export interface Place {
  readonly id: string;
  readonly name: string;
}

/** A pool as the customer may use it. */
export interface Placement {
  readonly poolId: string;
  readonly poolName: string;
  readonly poolGrantId: string;
  readonly storageRepositories: readonly Place[];
  readonly networks: readonly Place[];
}

/** What every step may use. */
export interface World {
  readonly folder: string;
  readonly teller: Teller;
  readonly simulator: SimulatorClient;
  readonly provider: GraphqlClient;
  /** The billing system's end of the webhooks. */
  readonly receiver: WebhookReceiver;
}

/** What the customer's steps use. */
export interface CustomerWorld extends World {
  readonly customer: Customer;
  /** The guest that is protected, as its pool has it. */
  readonly guest: SimulatedVm;
  readonly vmId: string;
  readonly vaultId: string;
  /** Where the VM is replicated to, and where it comes from. */
  readonly alpha: Placement;
  readonly beta: Placement;
}
