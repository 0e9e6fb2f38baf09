import { afterEach, beforeEach, expect, test } from 'vitest';
import type { PackRecord, VerifyResult } from './verify-types.ts';
import { makeThreePoints, type ThreePoints } from './testing/three-points.ts';

let world: ThreePoints;

beforeEach(async () => {
  world = await makeThreePoints();
});

afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

test('a scrub goes round in steps, oldest first, and its state is plain JSON', async () => {
  const all = world.names('data/').length;
  const seen: string[] = [];
  const onPack = (name: string, record: PackRecord): void => {
    expect(record).toMatchObject({ level: 1, damaged: false });
    seen.push(name);
  };
  await using single = await world.vault.open((same) => same, 1);
  let state: VerifyResult['state'] = { packs: {} };
  let steps = 0;
  for (let complete = false; !complete; steps += 1) {
    const result = await single.verify({ level: 1, state, since: 0, maxBytes: 1, onPack });
    expect(result.packsLeft).toBe(all - 1);
    state = JSON.parse(JSON.stringify(result.state)) as VerifyResult['state'];
    complete = Object.keys(state.packs).length === all;
  }
  expect(steps).toBe(all);
  expect(new Set(seen).size).toBe(all);
  const rest = await single.verify({ level: 1, state, since: 0, onPack });
  expect(rest).toMatchObject({ complete: true, packsChecked: 0, packsLeft: all });
  expect((await single.verify({ level: 2, state, since: 0 })).packsChecked).toBe(all);

  const [oldest = ''] = world.packs.second;
  const [hurt = ''] = world.packs.other;
  const records = Object.entries(state.packs).map(([name, record]) => {
    const old = name === oldest ? { ...record, checkedAt: 5 } : record;
    return [name, name === hurt ? { ...record, damaged: true } : old];
  });
  seen.length = 0;
  await single.verify({ level: 1, state: { packs: Object.fromEntries(records) }, maxBytes: 1, onPack });
  expect(seen).toEqual([hurt]);
  records.splice(0, records.length, ...records.map(([name, record]) => [name, { ...Object(record), damaged: false }]));
  seen.length = 0;
  await single.verify({ level: 1, state: { packs: Object.fromEntries(records) }, maxBytes: 1, onPack });
  expect(seen).toEqual([oldest]);
});
