import { afterEach, beforeEach, expect, test } from 'vitest';
import { KIB } from '../../kernel/bytes.ts';
import { createCollectVault, noise, type CollectVault } from './testing/collect-vault.ts';

const DAY = 24 * 3_600_000;

let at: CollectVault;

beforeEach(async () => {
  at = await createCollectVault();
});

afterEach(() => at[Symbol.asyncDispose]());

test('what others left below condemned/ stays, whatever numbers its names begin with', async () => {
  const strays = ['0', '00', '0-notes.txt', '0/secret.txt', '01', '1.waits.bak', '1.waits/x', '1e0', ' 1', '-1'];
  const names = strays.map((stray) => `condemned/${stray}`);
  names.forEach((name) => at.vault.objects.set(name, noise(100)));
  for (let round = 0; round < 2; round += 1) {
    await at.repository.deletePoint(await at.store(noise(200 * KIB)));
    await at.repository.collect({ graceMs: 0 });
    at.clock.advance(31 * DAY);
  }
  await at.repository.collect({ graceMs: 0 });
  expect(at.named('condemned/').toSorted()).toEqual([...names, 'condemned/2', 'condemned/2.waits'].toSorted());
});
