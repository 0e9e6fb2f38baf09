import type { Call, Handlers } from '../rpc/call.ts';
import { XapiError } from '../xapi-error.ts';

const CONFLICTS: Readonly<Record<string, string>> = { nbd: 'insecure_nbd', insecure_nbd: 'nbd' };

/** `nbd` and `insecure_nbd` exclude each other in the whole pool. */
function addPurpose(call: Call): string {
  const { db } = call.pool;
  const [network, purpose] = [call.text(0), call.text(1)];
  const conflicting = CONFLICTS[purpose];
  const inForce = db.refs('network').flatMap((each) => db.list('network', each, 'purpose'));
  if (conflicting !== undefined && inForce.includes(conflicting)) {
    throw new XapiError('NETWORK_INCOMPATIBLE_PURPOSES', [purpose, conflicting]);
  }
  const before = db.list('network', network, 'purpose');
  db.set('network', network, { purpose: [...new Set([...before, purpose])] });
  return '';
}

export const networkHandlers: Handlers = {
  'network.add_purpose': addPurpose,
  'network.remove_purpose': (call) => {
    const left = call.pool.db.list('network', call.text(0), 'purpose').filter((each) => each !== call.text(1));
    call.pool.db.set('network', call.text(0), { purpose: left });
    return '';
  },
};
