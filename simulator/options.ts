import { parseArgs } from 'node:util';
import type { PoolPlan } from './pool/build-pool.ts';
import { DEFAULT_SETTINGS, type Settings } from './settings.ts';

export const HELP = `A XenServer/XCP-ng pool simulator.

  node simulator/main.ts [options]

  --ready-file FILE          write { control, pools } here once everything listens
  --data DIR                 keep disks and certificates here (a temporary folder, removed at exit, otherwise);
                             certificates survive a restart, objects and disks do not
  --pool NAME=ADDRESS,...    a pool and its hosts' addresses, the coordinator first; may be repeated
                             (default: alpha=127.0.0.2,127.0.0.3 and beta=127.0.0.4)
  --port N                   https port of every host (default: a free one)
  --nbd-port N               NBD port of every host (default: a free one each)
  --control-port N           port of the control endpoint on 127.0.0.1 (default: a free one)
  --username NAME            default: root
  --password TEXT            default: simulator
  --bad-password-delay MS    how long a wrong password waits for its answer (default 0; real pools: 5000)
  --detach-delay MS          how long a disk stays in use after a transfer (default 200)
  --busy-wait MS             how long operations wait for a busy object (default 7200000, as real pools)
  --merge-delay MS           how long removed snapshots wait before their chain is merged (default 500)
  --sr-capacity BYTES        size of each SR (default 256 GiB)
  --nbd-connections N        NBD connections per host (default 16)
  --redirect-with-port       name the port in redirects (real pools don't: theirs is 443)
  --parent-pid PID           exit when this process is gone
  --exit-with-stdin          exit when standard input closes
  --help                     print this
`;

export interface Options {
  readonly help: boolean;
  readonly readyFile: string | undefined;
  readonly data: string | undefined;
  readonly pools: readonly PoolPlan[];
  readonly port: number;
  readonly nbdPort: number;
  readonly controlPort: number;
  readonly parentPid: number | undefined;
  readonly exitWithStdin: boolean;
  readonly settings: Settings;
}

const STRING = { type: 'string' } as const;
const FLAG = { type: 'boolean', default: false } as const;

/** Throws an Error with a sentence for people where an option is wrong. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      'ready-file': STRING,
      data: STRING,
      pool: { type: 'string', multiple: true, default: ['alpha=127.0.0.2,127.0.0.3', 'beta=127.0.0.4'] },
      port: STRING,
      'nbd-port': STRING,
      'control-port': STRING,
      username: { type: 'string', default: 'root' },
      password: { type: 'string', default: 'simulator' },
      'bad-password-delay': STRING,
      'detach-delay': STRING,
      'busy-wait': STRING,
      'merge-delay': STRING,
      'sr-capacity': STRING,
      'nbd-connections': STRING,
      'redirect-with-port': FLAG,
      'parent-pid': STRING,
      'exit-with-stdin': FLAG,
      help: FLAG,
    },
  });
  const number = (name: keyof typeof values, otherwise: number): number => toNumber(name, values[name], otherwise);
  const parent = number('parent-pid', 0);
  return {
    help: values.help,
    readyFile: values['ready-file'],
    data: values.data,
    pools: values.pool.map((text) => toPool(text, values.username, values.password)),
    port: number('port', 0),
    nbdPort: number('nbd-port', 0),
    controlPort: number('control-port', 0),
    parentPid: parent === 0 ? undefined : parent,
    exitWithStdin: values['exit-with-stdin'],
    settings: {
      badPasswordDelayMs: number('bad-password-delay', DEFAULT_SETTINGS.badPasswordDelayMs),
      detachDelayMs: number('detach-delay', DEFAULT_SETTINGS.detachDelayMs),
      busyWaitMs: number('busy-wait', DEFAULT_SETTINGS.busyWaitMs),
      mergeDelayMs: number('merge-delay', DEFAULT_SETTINGS.mergeDelayMs),
      srCapacityBytes: number('sr-capacity', DEFAULT_SETTINGS.srCapacityBytes),
      nbdConnections: number('nbd-connections', DEFAULT_SETTINGS.nbdConnections),
      redirectWithPort: values['redirect-with-port'],
    },
  };
}

function toNumber(name: string, text: unknown, otherwise: number): number {
  const value = text === undefined ? otherwise : Number(text);
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new Error(`--${name} must be a whole number from 0, not ${String(text)}`);
  }
  return value;
}

function toPool(text: string, user: string, password: string): PoolPlan {
  const match = /^([a-z][a-z0-9-]*)=(127\.\d+\.\d+\.\d+(?:,127\.\d+\.\d+\.\d+)*)$/.exec(text);
  if (match === null) {
    throw new Error(`--pool must be NAME=127.x.x.x,127.x.x.x,… and not ${text}`);
  }
  const [, name = '', addresses = ''] = match;
  return { name, addresses: addresses.split(','), user, password };
}
