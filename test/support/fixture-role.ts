/** A role that does what its first argument says; the others are the role's own. */
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '../../src/kernel/errors.ts';
import { runRole } from '../../src/platform/process/run-role.ts';

const [behaviour] = process.argv.splice(2, 1);
const failed = Promise.withResolvers<string>();

await runRole({
  name: 'fixture',
  about: 'behaves as it is told',
  start: async () => {
    if (behaviour === 'refuses') {
      throw new AppError('TEMPORAL_UNAVAILABLE', 'Nobody listens there.');
    }
    if (behaviour === 'has-a-bug') {
      throw new TypeError('undefined is not a backup');
    }
    if (behaviour === 'is-a-task') {
      return null;
    }
    if (behaviour === 'starts-slowly') {
      process.stdout.write('starting\n');
      await delay(60_000);
    }
    if (behaviour === 'rejects-later') {
      setTimeout(() => void Promise.reject(new Error('nobody waits for me')), 50);
    }
    if (behaviour === 'fails-later') {
      setTimeout(() => failed.resolve('The ground is gone.'), 50);
    }
    return {
      ready: { port: 4711 },
      failed: failed.promise,
      graceMs: 300,
      stop: async () => {
        process.stdout.write('draining\n');
        await delay(behaviour === 'hangs' ? 60_000 : 50);
        process.stdout.write('drained\n');
      },
    };
  },
});
