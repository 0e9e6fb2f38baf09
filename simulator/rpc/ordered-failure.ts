import { XapiError } from '../xapi-error.ts';
import type { Call } from './call.ts';

/** Meets the faults that were ordered for this call at this point; throws the ordered error. */
export async function failIfOrdered(call: Call, kind: 'rpc' | 'operation'): Promise<void> {
  const { pool, host, method } = call;
  const action = await pool.faults.meet({ kind, pool: pool.name, host: host.uuid, method });
  const [code, ...params] = action?.error ?? [];
  if (code !== undefined) {
    throw new XapiError(code, params);
  }
}
