import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { checkParameters, parseRepositoryFile, verifyRepositoryFile } from './repository-parameters.ts';
import { backup, createTestVault, MemoryDisk, restore, sameBytes, SMALL_PARAMETERS } from './testing/test-vault.ts';
import type { ChunkingParameters } from './repository-options.ts';

const { blockBytes, segmentBytes } = SMALL_PARAMETERS;

const REFUSED: readonly (readonly [string, Partial<ChunkingParameters>, string])[] = [
  ['blocks of another size', { blockBytes: 2 * blockBytes }, 'blockBytes is 4096'],
  [
    'chunks as long as a segment',
    { maxChunkBytes: segmentBytes, packBytes: 4 * segmentBytes },
    'segmentBytes is more than twice maxChunkBytes',
  ],
  ['chunks that end within a block', { maxChunkBytes: SMALL_PARAMETERS.maxChunkBytes + 512 }, 'are whole blocks'],
  [
    'an average that is the least',
    { averageChunkBytes: SMALL_PARAMETERS.minChunkBytes },
    'averageChunkBytes is more than minChunkBytes',
  ],
  ['packs that hold no chunk', { packBytes: SMALL_PARAMETERS.maxChunkBytes }, 'packBytes is at least 64 KiB more'],
  ['segments of more blocks than are counted', { segmentBytes: 65_536 * blockBytes }, 'at most 65535 blocks'],
  ['sizes that are no numbers', { packBytes: Number.NaN }, 'packBytes is at most'],
];

test.each(REFUSED)('parameters with %s are refused, and the rule is said', (_, other, rule) => {
  expect(() => checkParameters({ ...SMALL_PARAMETERS, ...other })).toThrow(rule);
});

test('the longest chunks that are allowed, which do not compress, are stored and restored', async () => {
  const parameters = {
    ...SMALL_PARAMETERS,
    averageChunkBytes: segmentBytes / 2 - 2 * blockBytes,
    maxChunkBytes: segmentBytes / 2 - blockBytes,
    packBytes: 3 * segmentBytes,
  };
  await using vault = await createTestVault(parameters);
  await using repository = await vault.open(undefined, 1);
  const data = new Uint8Array(randomBytes(9 * segmentBytes + 5));
  const { summary } = await backup(repository, { disks: { xvda: new MemoryDisk(data) } });
  expect(sameBytes(await restore(repository, summary.pointId, 'xvda'), data)).toBe(true);
});

test.each(['7\n', 'null\n', '[]', '{"format":"1"}', '\0', '{"format":1}', '{"format":1,"repositoryId":"\\u001b[2J"}'])(
  '%j is damage, and no later format',
  (text) => {
    const parse = (): unknown => parseRepositoryFile(Buffer.from(text), 'repo.0');
    expect(parse).toThrow(expect.objectContaining({ code: 'VAULT_CORRUPT', hint: expect.stringContaining('repair') }));
  },
);

test('a digest that is no text is no digest', () => {
  const data = Buffer.concat([Buffer.from('{}\n'), Buffer.alloc(64, 0xe9)]);
  const verify = (): void => verifyRepositoryFile(data, randomBytes(32), 'repo.0');
  expect(verify).toThrow(expect.objectContaining({ code: 'VAULT_CORRUPT' }));
});
