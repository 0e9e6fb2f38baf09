import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { Sealer, TAG_BYTES, type SealContext, type SealedPiece } from './seal.ts';

const key = randomBytes(32);
const context: SealContext = { repositoryId: '11'.repeat(16), kind: 1, generation: 0, objectId: '22'.repeat(16) };
const piece: SealedPiece = { ordinal: 3, codec: 0, rawBytes: 64, digest: Buffer.alloc(32, 7) };
const plain = randomBytes(64);

function seal(what: SealedPiece): Buffer {
  const sealed = Buffer.alloc(plain.length + TAG_BYTES);
  expect(new Sealer(key, context).seal(what, plain, sealed, 0)).toBe(sealed.length);
  return sealed;
}

test('what was sealed opens, as what it was and where it was', () => {
  expect(new Sealer(key, context).open(piece, seal(piece))).toEqual(plain);
});

test.each([
  { ordinal: 4 },
  { codec: 1 },
  { rawBytes: 63 },
  { digest: Buffer.alloc(32, 8) },
] satisfies Partial<SealedPiece>[])('it does not open as %o', (change) => {
  expect(() => new Sealer(key, context).open({ ...piece, ...change }, seal(piece))).toThrow('authenticate');
});

test.each([
  { repositoryId: '12'.repeat(16) },
  { kind: 2 },
  { generation: 1 },
  { objectId: '23'.repeat(16) },
] satisfies Partial<SealContext>[])('it does not open in %o', (change) => {
  expect(() => new Sealer(key, { ...context, ...change }).open(piece, seal(piece))).toThrow('authenticate');
});

test('no two frames of an object share a nonce: the same content looks different in each', () => {
  const bodies = [0, 1, 255, 256, 65_534].map((ordinal) =>
    seal({ ...piece, ordinal }).toString('hex', 0, plain.length),
  );
  expect(new Set(bodies).size).toBe(bodies.length);
});
