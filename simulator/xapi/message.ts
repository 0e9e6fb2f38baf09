import { type Row, toDatetime } from '../model/values.ts';
import type { Pool } from '../pool/pool.ts';
import type { Handlers } from '../rpc/call.ts';

export function announce(pool: Pool, name: string, subject: { readonly cls: string; readonly ref: string }): void {
  const fields: Row = {
    name,
    priority: 5,
    cls: subject.cls,
    obj_uuid: pool.db.text(subject.cls, subject.ref, 'uuid'),
    timestamp: toDatetime(Date.now()),
    body: '',
  };
  pool.db.create('message', fields);
}

export const messageHandlers: Handlers = {
  'message.get_all_records': (call) =>
    Object.fromEntries(call.pool.db.rows('message').map(([ref, row]) => [ref, { ...row }])),
  'message.destroy': (call) => {
    call.pool.db.destroy('message', call.text(0));
    return '';
  },
};
