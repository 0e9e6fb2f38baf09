import { describe, expect, it } from 'vitest';
import type { Clock } from '../kernel/clock.ts';
import { SharedResource } from './shared-resource.ts';

interface Door {
  readonly number: number;
}

function setUp() {
  const opened: Door[] = [];
  const closed: Door[] = [];
  const sleepers: (() => void)[] = [];
  const clock: Clock = {
    now: () => 0,
    monotonic: () => 0,
    sleep: async (_, signal) =>
      new Promise((resolve, reject) => {
        sleepers.push(resolve);
        signal?.addEventListener('abort', () => {
          reject(new Error('stopped'));
        });
      }),
  };
  const shared = new SharedResource<string, Door>(
    async (door) => {
      closed.push(door);
    },
    1000,
    clock,
  );
  const open = async (): Promise<Door> => {
    const door = { number: opened.length };
    opened.push(door);
    return door;
  };
  const use = async <T>(work: (door: Door) => Promise<T>, isBroken = () => false): Promise<T> =>
    shared.use('key', open, work, { isBroken });
  const pass = async (): Promise<void> => {
    for (const wake of sleepers.splice(0)) {
      wake();
    }
    await new Promise(setImmediate);
  };
  return { shared, opened, closed, use, open, pass };
}

describe('a shared resource', () => {
  it('is opened once for all who use it at the same time, and for whoever comes soon after', async () => {
    const { use, opened, closed } = setUp();
    await Promise.all([use(async () => null), use(async () => null)]);
    await use(async () => null);
    expect([opened.length, closed.length]).toEqual([1, 0]);
  });

  it('is closed a while after its last use, not after an earlier one', async () => {
    const { use, closed, pass, opened } = setUp();
    await use(async () => null);
    await use(async (door) => {
      await pass();
      expect(closed).toEqual([]);
      return door;
    });
    await pass();
    expect(closed).toEqual(opened);
  });

  it('is given to nobody else once it is broken, and closed when its last user is done', async () => {
    const { use, opened, closed } = setUp();
    await use(async () => {
      const broken = use(
        async () => {
          throw new Error('broken');
        },
        () => true,
      );
      await expect(broken).rejects.toThrow('broken');
      await use(async (door) => expect(door.number).toBe(1));
      expect(closed).toEqual([]);
    });
    expect(closed).toEqual([opened[0]]);
  });

  it('is opened again after it could not be opened', async () => {
    const { shared, use } = setUp();
    const fail = async (): Promise<Door> => {
      throw new Error('locked');
    };
    await expect(shared.use('key', fail, async () => null, { isBroken: () => false })).rejects.toThrow('locked');
    expect(await use(async (door) => door.number)).toBe(0);
  });

  it('is closed with all others at the end', async () => {
    const { shared, use, closed } = setUp();
    await use(async () => null);
    await shared.close();
    expect(closed).toHaveLength(1);
  });
});
