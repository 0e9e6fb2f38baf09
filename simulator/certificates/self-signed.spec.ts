import { X509Certificate, createPrivateKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createSelfSigned } from './self-signed.ts';

describe('a self-signed certificate', () => {
  const { certificate, key } = createSelfSigned('host-1.simulator.test', '127.0.0.2');
  const parsed = new X509Certificate(certificate);

  it('names the host and its address', () => {
    expect(parsed.checkHost('host-1.simulator.test')).toBe('host-1.simulator.test');
    expect(parsed.checkIP('127.0.0.2')).toBe('127.0.0.2');
    expect(parsed.checkIP('127.0.0.3')).toBeUndefined();
  });

  it('is signed by its own key and valid now', () => {
    expect(parsed.verify(parsed.publicKey)).toBe(true);
    expect(parsed.checkPrivateKey(createPrivateKey(key))).toBe(true);
    expect(parsed.validFromDate.getTime()).toBeLessThan(Date.now());
    expect(parsed.validToDate.getTime()).toBeGreaterThan(Date.now());
  });

  it('is another one each time', () => {
    expect(createSelfSigned('host-1.simulator.test', '127.0.0.2').certificate).not.toBe(certificate);
  });
});
