/** What the catalogue test lets pass, each with the reason. An entry that is no longer needed fails the test too. */

/** Tables of `app` without a tenant. */
export const WITHOUT_TENANT: Readonly<Record<string, string>> = {
  tenant_closure: 'pairs of tenants; no process role may touch it, only definer functions do',
  usage_signing_key: 'the installation’s public keys; nothing of a tenant is in it',
};

/** Unique keys and indexes that do not begin with the tenant. */
export const INDEX_NOT_BY_TENANT: Readonly<Record<string, string>> = {
  tenant_pkey: 'a tenant’s id is its tenant_id',
  tenant_one_provider: 'there is one root in the whole installation; no tenant can insert another',
  tenant_name_in_parent: 'names are unique below a parent, which only the parent’s own subtree can insert into',
  api_token_secret: 'the hash is looked up before the tenant is known; 256 random bits',
  api_token_previous_secret: 'as api_token_secret',
  api_token_id: 'a token may have been made by another tenant’s token; ids are made by the server',
  vm_assigned_once: 'one tenant at a time has a guest, and the guest may stand in another tenant’s pool',
  job_unfinished: 'the reconciler’s queue, over all tenants',
  job_finished: 'the reconciler’s look back, over all tenants',
  job_left_behind: 'The reconciler’s list of clean-ups that were not complete, over all tenants.',
  job_progress_updated: 'the relay learns that some progress was made, over all tenants',
  event_unnumbered: 'the relay’s queue, over all tenants',
  event_age: 'the sweeper’s queue, over all tenants',
  webhook_delivery_age: 'as event_age',
  idempotency_key_age: 'as event_age',
  webhook_delivery_due: 'the relay’s queue, over all tenants',
  usage_event_recorded: 'late usage is looked for over all tenants',
};

/** Foreign keys between tenant tables that do not carry the tenant. */
export const FOREIGN_KEY_WITHOUT_TENANT: Readonly<Record<string, string>> = {
  tenant_parent_id_fkey: 'the tree itself; rows are made by app.create_tenant, which judges the parent',
};

/** Policies that name no tenant. */
export const POLICY_FOR_ALL_TENANTS: Readonly<Record<string, string>> = {
  event_select_relay: 'the relay numbers and sends the events of all tenants',
  event_update_relay: 'as above; it may set sequence and position only',
  event_counter_select_relay: 'the relay counts for all tenants',
  event_counter_insert_relay: 'as above',
  event_counter_update_relay: 'as above; it may set the count only',
  webhook_endpoint_select_relay: 'the relay sends to the endpoints of all tenants',
  webhook_endpoint_update_relay: 'as above; it may set the state of delivery only',
  webhook_delivery_select_relay: 'the relay’s queue',
  webhook_delivery_insert_relay: 'as above',
  webhook_delivery_update_relay: 'as above; it may set the outcome of an attempt only',
  event_insert_relay: 'the relay tells a tenant that its endpoint was disabled, and nothing else',
};
