import { describe, expect, it } from 'vitest';
import { parseRecord } from './xapi-records.ts';

const PBD = { uuid: 'u', host: 'OpaqueRef:h', SR: 'OpaqueRef:s', currently_attached: true, device_config: {} };

describe('a record from a pool', () => {
  it('keeps the fields that are known and drops the rest', () => {
    const { device_config: _, ...known } = PBD;
    expect(parseRecord('PBD', 'OpaqueRef:p', PBD)).toEqual(known);
  });

  it('takes integers as XML-RPC writes them', () => {
    const info = { exportname: '/x', address: '10.0.0.1', port: '10809', cert: '', subject: '' };
    expect(parseRecord('vdi_nbd_server_info', 'r', info).port).toBe(10_809);
  });

  it('is refused with class, reference and field where one is missing or of another type', () => {
    const { SR: _, ...lacking } = PBD;
    expect(() => parseRecord('PBD', 'OpaqueRef:p', lacking)).toThrow(
      expect.objectContaining({
        code: 'XAPI_RECORD_INVALID',
        data: { class: 'PBD', ref: 'OpaqueRef:p', field: 'SR' },
      }),
    );
    expect(() => parseRecord('PBD', 'OpaqueRef:p', { ...PBD, currently_attached: 'yes' })).toThrow(
      'currently_attached',
    );
    expect(() => parseRecord('PBD', 'OpaqueRef:p', null)).toThrow('PBD OpaqueRef:p');
  });
});
