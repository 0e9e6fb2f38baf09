import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { checkParameters, parseRepositoryFile } from './repository-parameters.ts';
import { backup, createTestVault, MemoryDisk, restore, sameBytes, SMALL_PARAMETERS } from './testing/test-vault.ts';
import type { ChunkingParameters } from './types.ts';

const { blockBytes, segmentBytes } = SMALL_PARAMETERS;

const REFUSED: Readonly<Record<string, Partial<ChunkingParameters>>> = {
  'chunks as long as a segment': { maxChunkBytes: segmentBytes, packBytes: 4 * segmentBytes },
  'chunks that end within a block': { maxChunkBytes: SMALL_PARAMETERS.maxChunkBytes + 512 },
  'an average that is the least': { averageChunkBytes: SMALL_PARAMETERS.minChunkBytes },
  'packs that hold no chunk': { packBytes: SMALL_PARAMETERS.maxChunkBytes },
  'segments of more blocks than are counted': { segmentBytes: 65_536 * blockBytes },
};

test.each(Object.entries(REFUSED))('parameters with %s are refused', (_, other) => {
  expect(() => checkParameters({ ...SMALL_PARAMETERS, ...other })).toThrow('go together');
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

test.each(['7\n', 'null\n', '[]', '{"format":"1"}', '\0'])('%j is damage, and no later format', (text) => {
  const parse = (): unknown => parseRepositoryFile(Buffer.from(text), 'repo.0');
  expect(parse).toThrow(expect.objectContaining({ code: 'VAULT_CORRUPT' }));
});
