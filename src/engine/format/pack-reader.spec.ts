import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { KIB } from '../../kernel/bytes.ts';
import { deriveSecrets } from '../keys/key-schedule.ts';
import { encodeHeader, OBJECT_KIND } from './header.ts';
import { newObjectId } from './ids.ts';
import { FOOTER_BYTES } from './pack-builder.ts';
import { readFrameTable } from './pack-reader.ts';

const GIB = 2 ** 30;
const keys = { keyId: 'k', repositoryKey: randomBytes(32), dedupSecret: randomBytes(32) };
const secrets = deriveSecrets(keys, newObjectId(), 0);

test('of something forged that says it has a huge table, no more is read than of any object', async () => {
  const id = newObjectId();
  const kind = OBJECT_KIND.indexSegment;
  const sizeBytes = 4 * GIB;
  const header = encodeHeader({ kind, generation: 0, id, salt: randomBytes(32) });
  const footer = randomBytes(FOOTER_BYTES);
  footer.writeUInt32LE(3 * GIB, 0);
  let bytes = 0;
  // Sparse: zeros between header and footer.
  const read = async (offset: number, into: Uint8Array): Promise<void> => {
    bytes += into.length;
    expect(bytes).toBeLessThan(100 * KIB);
    into.set(offset === 0 ? header.subarray(0, into.length) : [], 0);
    into.set(offset + into.length === sizeBytes ? footer : [], Math.max(0, into.length - FOOTER_BYTES));
  };
  const object = { name: `index/0/${id}`, id, kind, sizeBytes };
  await expect(readFrameTable(read, object, secrets)).rejects.toMatchObject({ code: 'VAULT_CORRUPT' });
});
