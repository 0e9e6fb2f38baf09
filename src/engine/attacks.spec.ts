import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { decodeHeader, HEADER_BYTES, OBJECT_KIND, type ObjectKind } from './format/header.ts';
import { newObjectId, type ObjectId } from './format/ids.ts';
import { packName } from './format/names.ts';
import { FOOTER_BYTES, PackBuilder } from './format/pack-builder.ts';
import { FrameOpener, readPackTable } from './format/pack-reader.ts';
import { decodeFooter, openKeys, openObject, openTable, sealContext, sealObject } from './format/sealed-object.ts';
import { TAG_BYTES } from './format/seal.ts';
import { keyedDigest, plainDigest } from './keys/digest.ts';
import { deriveSecrets, type RepositorySecrets } from './keys/key-schedule.ts';
import { MemoryStore } from './testing/memory-store.ts';
import { removed, type Guard } from './testing/removable-guards.ts';

/*
 * Attacks by somebody who may write to the store as they like, knows the format, and has no key. Every datum that stops
 * one of them is a guard. For each attack: with all guards it is refused; without any of its guards it succeeds, so it
 * is an attack, and they are all; with each one of them alone it is refused, so each does what it is there for.
 */

vi.mock('node:crypto', async (original) => {
  const { weakenCrypto } = await import('./testing/removable-guards.ts');
  return weakenCrypto(await original());
});

vi.mock('./keys/digest.ts', async (original) => {
  const { weakenDigests } = await import('./testing/removable-guards.ts');
  return weakenDigests(await original());
});

const FRAME_BYTES = 1000;
const SEALED_BYTES = FRAME_BYTES + TAG_BYTES;
const repositoryId = newObjectId();
const tenant = { keyId: '', repositoryKey: randomBytes(32), dedupSecret: randomBytes(32) };
const contents = Array.from({ length: 6 }, () => randomBytes(FRAME_BYTES));

let store: MemoryStore;

beforeEach(() => {
  store = new MemoryStore();
});

afterEach(() => removed.clear());

const secretsOf = (change: Partial<typeof tenant> = {}, id = repositoryId, generation = 0): RepositorySecrets =>
  deriveSecrets({ ...tenant, ...change }, id, generation);

/** A pack of three frames: the first three contents, or the others. */
function seal(secrets: RepositorySecrets, id: ObjectId, kind: ObjectKind = OBJECT_KIND.dataPack, from = 0): Uint8Array {
  const buffer = new Uint8Array(10_000);
  const builder = new PackBuilder(buffer, kind, id, secrets);
  for (const content of contents.slice(from, from + 3)) {
    builder.append(content, keyedDigest(secrets.digestKey, content));
  }
  return buffer.slice(0, builder.finish());
}

const frameAt = (ordinal: number): number => HEADER_BYTES + ordinal * SEALED_BYTES;
const sealedFrame = (pack: Uint8Array, ordinal: number): Uint8Array =>
  pack.slice(frameAt(ordinal), frameAt(ordinal) + SEALED_BYTES);

/** The hash that needs no key is made right again. */
function rehash(object: Uint8Array): Uint8Array {
  object.set(plainDigest(object.subarray(0, -32)), object.length - 32);
  return object;
}

/** The raw content of a frame, as a restore would get it. */
async function readFrame(
  secrets: RepositorySecrets,
  id: ObjectId,
  pack: Uint8Array,
  ordinal: number,
): Promise<Uint8Array> {
  store.objects.set(packName('data', id), rehash(pack));
  const table = await readPackTable(store, 'data', id, secrets);
  const frame = table.frame(ordinal);
  return new FrameOpener(table.opener, secrets.digestKey).open(frame, sealedFrame(pack, ordinal));
}

/** The table of an object, by its own footer. */
function readTable(secrets: RepositorySecrets, object: Uint8Array): Uint8Array {
  const name = 'object';
  const header = decodeHeader(object, name);
  const footer = decodeFooter(object, object.length, name);
  const keys = openKeys(header, footer, name, secrets);
  const end = object.length - FOOTER_BYTES;
  return openTable(object.subarray(end - footer.tableBytes, end), footer, sealContext(header, secrets), { keys, name });
}

/** An object whose header says what it is not. */
function relabel(
  object: Uint8Array,
  header: { kind?: ObjectKind; id?: ObjectId; generation?: number; salt?: Uint8Array },
): Uint8Array {
  const bytes = Buffer.from(object);
  bytes.writeUInt8(header.kind ?? bytes.readUInt8(10), 10);
  bytes.writeUInt32LE(header.generation ?? bytes.readUInt32LE(12), 12);
  bytes.set(header.id === undefined ? bytes.subarray(16, 32) : Buffer.from(header.id, 'hex'), 16);
  bytes.set(header.salt ?? bytes.subarray(32, 64), 32);
  return rehash(new Uint8Array(bytes));
}

interface Attack {
  readonly guards: readonly Guard[];
  /** Seals, tampers, reads: the forged content that the reader believes in. */
  run(): Promise<Uint8Array> | Uint8Array;
  /** What it is, if the attack succeeds. */
  readonly forged: Uint8Array;
}

const [c0 = Buffer.alloc(0), c1 = Buffer.alloc(0), , c3 = Buffer.alloc(0)] = contents;
const WITHIN_A_PACK: readonly Guard[] = [
  'ordinal in the nonce',
  'ordinal in the associated data',
  'digest in the associated data',
  'digest of the content',
];
const OF_A_FRAME: readonly Guard[] = [
  'salt in the object’s key',
  'digest in the associated data',
  'digest of the content',
];

/** Another pack's first frame in the place of this one's. */
function transplant(
  from: { readonly secrets?: RepositorySecrets; readonly id?: ObjectId; readonly kind?: ObjectKind },
  generation = 0,
): Promise<Uint8Array> {
  const id = newObjectId();
  const secrets = secretsOf({}, repositoryId, generation);
  const pack = seal(secrets, id);
  pack.set(sealedFrame(seal(from.secrets ?? secrets, from.id ?? id, from.kind, 3), 0), frameAt(0));
  return readFrame(secrets, id, pack, 0);
}

const strangers = { repositoryKey: randomBytes(32), dedupSecret: randomBytes(32) };
const payload = randomBytes(100);
const [pointId, otherId] = [newObjectId(), newObjectId()];

/** What a reader of a restore point gets. */
function readPoint(secrets: RepositorySecrets, id: ObjectId, object: Uint8Array): Uint8Array {
  return openObject(object, 'points/x', { id, kinds: [OBJECT_KIND.point] }, secrets).payload;
}

const sealPoint = (secrets = secretsOf(), id = pointId, kind: ObjectKind = OBJECT_KIND.point): Uint8Array =>
  sealObject(kind, id, payload, secrets);

const ATTACKS: Readonly<Record<string, Attack>> = {
  'two frames of a pack change places': {
    guards: WITHIN_A_PACK,
    forged: c1,
    run: () => {
      const id = newObjectId();
      const pack = seal(secretsOf(), id);
      const [first, second] = [sealedFrame(pack, 0), sealedFrame(pack, 1)];
      pack.set(second, frameAt(0));
      pack.set(first, frameAt(1));
      return readFrame(secretsOf(), id, pack, 0);
    },
  },
  'a frame is played again in another’s place': {
    guards: WITHIN_A_PACK,
    forged: c0,
    run: () => {
      const id = newObjectId();
      const pack = seal(secretsOf(), id);
      pack.set(sealedFrame(pack, 0), frameAt(2));
      return readFrame(secretsOf(), id, pack, 2);
    },
  },
  'a frame moves to another pack': {
    guards: [...OF_A_FRAME, 'id in the object’s key', 'object in the associated data'],
    forged: c3,
    run: () => transplant({ id: newObjectId() }),
  },
  'a frame of a manifest moves to a data pack of the same id': {
    guards: [...OF_A_FRAME, 'kind in the object’s key', 'kind in the associated data'],
    forged: c3,
    run: () => transplant({ kind: OBJECT_KIND.metaPack }),
  },
  'a frame of an earlier write of the same pack comes back': {
    guards: OF_A_FRAME,
    forged: c3,
    run: () => transplant({}),
  },
  'a frame moves to another repository that has the same key': {
    guards: [...OF_A_FRAME, 'repository in the root', 'repository in the associated data'],
    forged: c3,
    run: () => transplant({ secrets: secretsOf({}, otherId) }),
  },
  'a frame moves to another tenant': {
    guards: [
      ...OF_A_FRAME,
      'repository key in the root',
      'repository in the root',
      'repository in the associated data',
    ],
    forged: c3,
    run: () => transplant({ secrets: secretsOf(strangers, otherId) }),
  },
  'a frame moves to another generation': {
    guards: [...OF_A_FRAME, 'repository key in the root', 'generation in the associated data'],
    forged: c3,
    run: () => transplant({ secrets: secretsOf({ repositoryKey: randomBytes(32) }) }, 1),
  },
  'frames are cut off the end of a pack': {
    guards: ['ordinal in the nonce', 'ordinal in the associated data'],
    forged: Buffer.from('opened'),
    run: () => {
      const pack = Buffer.from(seal(secretsOf(), newObjectId()));
      pack.writeUInt32LE(2, pack.length - FOOTER_BYTES + 4);
      readTable(secretsOf(), rehash(new Uint8Array(pack)));
      return Buffer.from('opened');
    },
  },
  'the table of another pack is put in': {
    guards: ['salt in the object’s key', 'id in the object’s key', 'object in the associated data'],
    forged: Buffer.from('opened'),
    run: () => {
      const [pack, other] = [
        seal(secretsOf(), newObjectId()),
        seal(secretsOf(), newObjectId(), OBJECT_KIND.dataPack, 3),
      ];
      pack.set(other.subarray(frameAt(3), -FOOTER_BYTES), frameAt(3));
      readTable(secretsOf(), rehash(pack));
      return Buffer.from('opened');
    },
  },
  'a restore point takes the name of another': {
    guards: ['id in the object’s key', 'object in the associated data'],
    forged: payload,
    run: () => readPoint(secretsOf(), otherId, relabel(sealPoint(), { id: otherId })),
  },
  'a session is given out as a restore point': {
    guards: ['kind in the object’s key', 'kind in the associated data'],
    forged: payload,
    run: () =>
      readPoint(
        secretsOf(),
        pointId,
        relabel(sealPoint(secretsOf(), pointId, OBJECT_KIND.session), { kind: OBJECT_KIND.point }),
      ),
  },
  'an object of one generation is given out as of another': {
    guards: ['repository key in the root', 'generation in the associated data'],
    forged: payload,
    run: () => {
      const old = sealPoint(secretsOf({ repositoryKey: randomBytes(32) }));
      return readPoint(secretsOf({}, repositoryId, 1), pointId, relabel(old, { generation: 1 }));
    },
  },
  'an object moves to another repository that has the same key': {
    guards: ['repository in the root', 'repository in the associated data'],
    forged: payload,
    run: () => readPoint(secretsOf(), pointId, sealPoint(secretsOf({}, otherId))),
  },
  'an object moves to another tenant': {
    guards: ['repository key in the root', 'repository in the root', 'repository in the associated data'],
    forged: payload,
    run: () => readPoint(secretsOf(), pointId, sealPoint(secretsOf(strangers, otherId))),
  },
  'the salt in a header is exchanged': {
    guards: ['salt in the object’s key'],
    forged: payload,
    run: () => readPoint(secretsOf(), pointId, relabel(sealPoint(), { salt: randomBytes(32) })),
  },
};

describe.each(Object.entries(ATTACKS))('%s', (_, attack) => {
  const outcome = async (gone: readonly Guard[]): Promise<unknown> => {
    gone.forEach((guard) => removed.add(guard));
    try {
      return Buffer.from(await attack.run()).toString('hex');
    } catch (error) {
      return error;
    }
  };
  const refused = { code: 'VAULT_CORRUPT' };

  test('is refused', async () => {
    expect(await outcome([])).toMatchObject(refused);
  });

  test('would succeed without what stops it', async () => {
    expect(await outcome(attack.guards)).toBe(Buffer.from(attack.forged).toString('hex'));
  });

  test.each(attack.guards.map((guard) => [guard]))('is stopped by the %s alone', async (guard) => {
    expect(await outcome(attack.guards.filter((other) => other !== guard))).toMatchObject(refused);
  });
});

test('an object or a pack that ends at any other byte than its last is refused', async () => {
  const id = newObjectId();
  const [point, pack] = [sealPoint(), seal(secretsOf(), id)];
  for (let length = 0; length < point.length; length += 1) {
    expect(() => readPoint(secretsOf(), pointId, point.slice(0, length))).toThrow('points/x');
  }
  for (let length = 0; length < pack.length; length += 7) {
    store.objects.set(packName('data', id), pack.slice(0, length));
    await expect(readPackTable(store, 'data', id, secretsOf())).rejects.toMatchObject({ code: 'VAULT_CORRUPT' });
  }
});
