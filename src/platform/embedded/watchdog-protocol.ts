/** How a server is to be run: everything the watchdog needs to start it and to end it by itself. */
export interface ServerSpec {
  readonly id: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Another user to run as; only root may ask for one. */
  readonly user?: { readonly uid: number; readonly gid: number };
  /** Both output streams are appended here. */
  readonly logFile: string;
  /** Tried one after the other until the server has ended. */
  readonly stopSignals: readonly NodeJS.Signals[];
  /** How long each of them gets. */
  readonly graceMs: number;
}

/** One JSON object a line, on the watchdog's standard input. When that input ends, the parent is gone. */
export type WatchdogCommand =
  | { readonly do: 'run'; readonly spec: ServerSpec }
  | { readonly do: 'stop'; readonly id: string }
  | { readonly do: 'remove-at-end'; readonly path: string };

/** One JSON object a line, on its standard output. */
export type WatchdogEvent =
  | { readonly event: 'started'; readonly id: string; readonly pid: number }
  | { readonly event: 'failed'; readonly id: string; readonly message: string }
  | {
      readonly event: 'exited';
      readonly id: string;
      readonly code: number | null;
      readonly signal: NodeJS.Signals | null;
    };
