import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CursorCodec } from '../paging/cursor-codec.ts';
import { loadOrCreateKeyFile } from './key-file.ts';
import { SecretBox, Sealer } from './sealer.ts';

const place = { tenantId: 't', secretId: 's', purpose: 'POOL_PASSWORD' } as const;

describe('a sealed secret', () => {
  it('opens in its own place with its own key, and nowhere else', () => {
    const box = new SecretBox(randomBytes(32));
    const sealed = box.seal('pässword', place);
    expect(box.open(sealed, place)).toBe('pässword');
    expect(sealed.includes('pässword')).toBe(false);
    for (const other of [
      { ...place, tenantId: 'u' },
      { ...place, secretId: 'r' },
      { ...place, purpose: 'WEBHOOK_SECRET' as const },
    ]) {
      expect(() => box.open(sealed, other)).toThrow(expect.objectContaining({ code: 'KEY_MISSING' }));
    }
    expect(() => new SecretBox(randomBytes(32)).open(sealed, place)).toThrow("can't be opened");
    sealed[20] = (sealed[20] ?? 0) ^ 1;
    expect(() => box.open(sealed, place)).toThrow("can't be opened");
  });
});

describe('a cursor', () => {
  it('belongs to one list', () => {
    const codec = new CursorCodec(new Sealer(randomBytes(32), 'cursors'));
    const cursor = codec.encode(['Berlin', 'id'], 'sites|tenant|name');
    expect(codec.decode(cursor, 'sites|tenant|name')).toEqual(['Berlin', 'id']);
    for (const [text, list] of [
      [cursor, 'sites|other|name'],
      ['', 'sites|tenant|name'],
      ['xyz', 'sites|tenant|name'],
    ] as const) {
      expect(() => codec.decode(text, list)).toThrow(expect.objectContaining({ code: 'BAD_CURSOR' }));
    }
  });
});

describe('the key file', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-key-'));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  it('is made once, for its owner only, however many start at once', async () => {
    const path = join(folder, 'keys', 'control.key');
    const keys = await Promise.all(Array.from({ length: 8 }, async () => await loadOrCreateKeyFile(path)));
    expect(new Set(keys.map((key) => key.toString('hex'))).size).toBe(1);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await readFile(path, 'utf8')).trim()).toBe(keys[0]?.toString('hex'));
  });

  it('is refused where it is no key', async () => {
    const path = join(folder, 'control.key');
    await writeFile(path, 'not a key');
    await expect(loadOrCreateKeyFile(path)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});
