import { describe, expect, it } from 'vitest';
import { macFromSeed } from './mac-address.ts';

describe('addresses from a seed', () => {
  it('are local, unicast, the same for the same seed and device, and others for others', () => {
    const first = macFromSeed('seed', 0);
    expect(first).toMatch(/^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/);
    expect(Number.parseInt(first.slice(0, 2), 16) & 3).toBe(2);
    expect(macFromSeed('seed', 0)).toBe(first);
    expect(new Set([first, macFromSeed('seed', 1), macFromSeed('other', 0)]).size).toBe(3);
  });
});
