/** The part of the `xen-api` package that xapi-connection.ts stands on; the package ships no types. */
declare module 'xen-api' {
  export class Xapi {
    constructor(options: {
      readonly url: string;
      readonly auth: { readonly user: string; readonly password: string };
      readonly transport: string;
      readonly watchEvents: boolean;
      readonly callConcurrency: number;
      readonly callTimeout: Readonly<Record<string, number>>;
      readonly roCallRetryOptions: { readonly tries: number; readonly delay: number };
    });
    readonly sessionId: string;
    readonly status: 'connected' | 'connecting' | 'disconnected';
    connect(): Promise<void>;
    disconnect(): Promise<void>;
    call(method: string, ...args: readonly unknown[]): Promise<unknown>;
  }
}

declare module 'xen-api/transports/index.mjs' {
  export type Transport = (method: string, args: readonly unknown[]) => Promise<unknown>;
  export interface TransportUrl {
    readonly protocol: string;
    readonly hostname: string;
    readonly port: string | undefined;
  }
  /** What the constructor's `transport` option is looked up in; called again whenever the coordinator moves. */
  const transports: Record<string, (options: { readonly url: TransportUrl }) => Transport>;
  export default transports;
}
