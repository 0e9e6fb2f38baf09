import type { Actor, World } from './model-world.ts';

/** As whoever runs it does: the same again where a store failed, mostly. */
export async function retried(world: World, actor: Actor, work: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      await work();
      return;
    } catch (error) {
      if (!actor.excuses.excuse(error) || world.random.chance(0.4)) {
        throw error;
      }
      world.note(`${actor.id} tries again: ${String(error)}`);
    }
  }
}
