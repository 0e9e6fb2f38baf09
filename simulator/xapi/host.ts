import type { Handlers } from '../rpc/call.ts';
import { XapiError } from '../xapi-error.ts';

export const hostHandlers: Handlers = {
  'host.get_server_certificate': (call) => call.pool.hostByRef(call.text(0)).certificate.certificate,
  'host.get_servertime': () => new Date().toISOString().replaceAll(/[-]|\.\d+/g, ''),
  'host.compute_free_memory': (call) => {
    const { db } = call.pool;
    const metrics = db.text('host', call.text(0), 'metrics');
    const used = db
      .list('host', call.text(0), 'resident_VMs')
      .reduce((sum, vm) => sum + db.number('VM', vm, 'memory_dynamic_max'), 0);
    return Math.max(db.number('host_metrics', metrics, 'memory_total') - used, 0);
  },
  'host.call_plugin': (call) => {
    throw new XapiError('XENAPI_MISSING_PLUGIN', [call.text(1)]);
  },
};
