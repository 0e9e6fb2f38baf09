import { randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodePackIds, encodeRecords, visitChunks, type SegmentRecord } from '../manifest/segment-record.ts';
import { FrameBits } from './frame-bits.ts';

const packs = Array.from({ length: 5 }, () => randomBytes(16).toString('hex'));
const entry = fc.record({
  blocks: fc.integer({ min: 1, max: 256 }),
  chunk: fc.option(
    fc.record({
      pack: fc.constantFrom(...packs),
      frame: fc.nat(65_534),
      digest: fc.uint8Array({ minLength: 16, maxLength: 16 }),
    }),
  ),
});
const run = fc.record({ start: fc.nat(8191), end: fc.nat(8191), entries: fc.array(entry, { maxLength: 6 }) });
const record: fc.Arbitrary<SegmentRecord> = fc.record({
  segment: fc.nat(100_000),
  runs: fc.array(run, { maxLength: 4 }),
});

test('every chunk that records name is visited, in order, and nothing else', () => {
  fc.assert(
    fc.property(fc.array(record, { maxLength: 5 }), (records) => {
      const data = encodeRecords(records);
      const ids = decodePackIds(data, 'records');
      const visited: string[] = [];
      visitChunks(data, 'records', (_, pack, frame, at) =>
        visited.push(`${ids[pack]} ${frame} ${data.toString('hex', at, at + 16)}`),
      );
      const named = records.flatMap(({ runs }) => runs.flatMap(({ entries }) => entries));
      expect(visited).toEqual(
        named.flatMap(({ chunk }) =>
          chunk === null ? [] : [`${chunk.pack} ${chunk.frame} ${Buffer.from(chunk.digest).toString('hex')}`],
        ),
      );
    }),
  );
});

test('records that were cut off are damage, wherever', () => {
  const chunk = { pack: packs[0] ?? '', frame: 7, digest: randomBytes(16) };
  const data = encodeRecords([{ segment: 1, runs: [{ start: 0, end: 4, entries: [{ blocks: 4, chunk }] }] }]);
  for (let length = 0; length < data.length; length += 1) {
    const visit = (): void => visitChunks(data.subarray(0, length), 'it', () => undefined);
    expect(visit).toThrow('it holds a manifest');
  }
});

test('bits of frames are a set', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom(...packs), fc.nat(65_535)), { maxLength: 60 }), (added) => {
      const bits = new FrameBits();
      const model = new Set<string>();
      for (const [pack, frame] of added) {
        expect(bits.add(pack, frame)).toBe(!model.has(`${pack} ${frame}`));
        model.add(`${pack} ${frame}`);
      }
      const listed = [...bits.packs()].flatMap((pack) => [...bits.frames(pack)].map((frame) => `${pack} ${frame}`));
      expect(new Set(listed)).toEqual(model);
      expect(listed).toHaveLength(model.size);
      packs.forEach((pack) => expect(bits.count(pack)).toBe([...model].filter((key) => key.startsWith(pack)).length));
    }),
  );
});
