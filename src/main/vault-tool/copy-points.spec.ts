import { randomBytes, randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { alterStore } from '../../engine/testing/alter-store.ts';
import { MemoryStore } from '../../engine/testing/memory-store.ts';
import { AppError } from '../../kernel/errors.ts';
import { readArguments } from './arguments.ts';
import { copyPoints } from './copy-points.ts';
import { EXIT } from './exit-codes.ts';
import { terminal } from './terminal.ts';
import { backUp, copyIn, makeEmptyVault } from './testing/small-vault.ts';

const MANY = 20;

test('a copy that was taken for dead and that its vault does not let go of keeps nobody from copying', async () => {
  let refused = 0;
  const locked = alterStore(new MemoryStore(), {
    delete: async (name) => {
      refused += 1;
      throw refused > MANY ? new Error('It never ends.') : new AppError('VAULT_RETAINED', `${name} is locked.`);
    },
  });
  await using source = await makeEmptyVault(locked);
  await using target = await makeEmptyVault(undefined, source.tenantId);
  await using from = await source.open();
  await using to = await target.open();
  const first = randomUUID();
  await backUp(from, first, { root: randomBytes(10_000) });
  for (let dead = 0; dead < 2; dead += 1) {
    const [sessionId, pointId] = [randomUUID(), randomUUID()];
    await from.beginSession({ sessionId, pointId, purpose: 'copy', pins: [first] });
    await to.fence(pointId);
  }
  const command = readArguments(['copy', ...source.places, '--to', target.vault, '--to-keys', target.keys]);
  if (command.command !== 'copy') {
    throw new Error('It is the command to copy.');
  }
  const vault = {
    tenantId: source.tenantId,
    repository: from,
    place: source.vault,
    [Symbol.asyncDispose]: async () => {},
  };
  expect(await copyPoints(vault, command, terminal, new AbortController().signal)).toBe(EXIT.done);
  expect(await copyIn(to, first)).toBeDefined();
});
