import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { KIB } from '../../kernel/bytes.ts';
import { deriveSecrets } from '../keys/key-schedule.ts';
import { encodeHeader, HEADER_BYTES, OBJECT_KIND } from './header.ts';
import { newObjectId } from './ids.ts';
import { FOOTER_BYTES, PackBuilder, TABLE_ENTRY_BYTES } from './pack-builder.ts';
import { readFrameTable, type ReadRange } from './pack-reader.ts';
import { TAG_BYTES } from './seal.ts';

const GIB = 2 ** 30;
const keys = { keyId: 'k', repositoryKey: randomBytes(32), dedupSecret: randomBytes(32) };
const secrets = deriveSecrets(keys, newObjectId(), 0);

const kind = OBJECT_KIND.indexSegment;
const sizeBytes = 4 * GIB;

/** Reads a sparse object: zeros between header and footer. More than any table takes is too much. */
function sparse(header: Uint8Array, footer: Uint8Array, mostBytes: number): ReadRange {
  let bytes = 0;
  return async (offset, into) => {
    bytes += into.length;
    expect(bytes).toBeLessThan(mostBytes);
    into.set(offset === 0 ? header.subarray(0, into.length) : [], 0);
    into.set(offset + into.length === sizeBytes ? footer : [], Math.max(0, into.length - FOOTER_BYTES));
  };
}

test('of something forged that says it has a huge table, no more is read than of any object', async () => {
  const id = newObjectId();
  const header = encodeHeader({ kind, generation: 0, id, salt: randomBytes(32) });
  const footer = randomBytes(FOOTER_BYTES);
  footer.writeUInt32LE(3 * GIB, 0);
  const object = { name: `index/0/${id}`, id, kind, sizeBytes };
  const reading = readFrameTable(sparse(header, footer, 100 * KIB), object, secrets);
  await expect(reading).rejects.toMatchObject({ code: 'VAULT_CORRUPT' });
});

test.each([
  ['of its own count', 3 * GIB, 1],
  ['of a count above any', 3 * GIB, (3 * GIB) / TABLE_ENTRY_BYTES],
  ['one byte longer than its count takes', 100 * TABLE_ENTRY_BYTES + TAG_BYTES + 1, 100],
  ['that fits a count one above the highest', 65_536 * TABLE_ENTRY_BYTES + TAG_BYTES, 65_536],
])('a table %s is refused unread behind a genuine header and commitment', async (_, tableBytes, frameCount) => {
  const id = newObjectId();
  const pack = new Uint8Array(64 * KIB);
  const builder = new PackBuilder(pack, kind, id, secrets);
  builder.append(randomBytes(KIB), randomBytes(32));
  const whole = Buffer.from(pack.subarray(0, builder.finish()));
  const footer = Buffer.from(whole.subarray(-FOOTER_BYTES));
  footer.writeUInt32LE(tableBytes, 0);
  footer.writeUInt32LE(frameCount, 4);
  const object = { name: `index/0/${id}`, id, kind, sizeBytes };
  const reading = readFrameTable(sparse(whole.subarray(0, HEADER_BYTES), footer, 100 * KIB), object, secrets);
  await expect(reading).rejects.toMatchObject({ code: 'VAULT_CORRUPT', data: { object: object.name } });
});
