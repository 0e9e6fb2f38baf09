import type { Handlers } from '../rpc/call.ts';
import { XapiError } from '../xapi-error.ts';

export const taskHandlers: Handlers = {
  'task.create': (call) => call.pool.tasks.create(call.text(0), call.text(1), { hostRef: call.host.ref }),
  'task.destroy': (call) => {
    call.pool.tasks.destroy(call.text(0));
    return '';
  },
  'task.cancel': (call) => {
    call.pool.tasks.cancel(call.text(0));
    return '';
  },
  'task.set_status': (call) => {
    const status = call.text(1);
    if (status === 'pending') {
      throw new XapiError('OPERATION_NOT_ALLOWED', ['a task cannot go back to pending']);
    }
    call.pool.db.set('task', call.text(0), { status });
    return '';
  },
};
