import type { ReceivedEvent } from '../clients/webhook-receiver.ts';
import { bytes } from '../console/format.ts';
import { table } from '../console/table.ts';
import { type Account, mustHold } from '../story.ts';
import type { World } from '../world.ts';

const METERS = [
  'backed_up_bytes',
  'backup_runs',
  'replicated_bytes',
  'replication_runs',
  'restored_bytes',
  'restore_runs',
];

/** What the billing system was told, each message signed. */
export async function bill({ receiver, teller }: World, account: Account): Promise<void> {
  await receiver.until((events) => METERS.every((meter) => totalOf(events, meter) > 0), 60_000);
  mustHold(receiver.refused === 0, 'no message came with a wrong signature');
  mustHold(totalOf(receiver.events, 'backup_runs') === 2, 'two backups are on the bill');
  const rows = METERS.map((meter) => {
    const total = totalOf(receiver.events, meter);
    return [meter, meter.endsWith('_bytes') ? bytes(total) : String(total)];
  });
  teller.print(table([['meter', 'usage'], ...rows], [1]).replaceAll(/^/gm, '    '));
  account.detail = `${receiver.events.length} signed messages verified by the standardwebhooks library`;
}

function totalOf(events: readonly ReceivedEvent[], meter: string): number {
  return events
    .filter(({ type, data }) => type === 'usage.recorded' && data['meter'] === meter)
    .reduce((sum, { data }) => sum + Number(data['quantity']), 0);
}
