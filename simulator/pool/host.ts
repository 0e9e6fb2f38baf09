import type { Certificate } from '../certificates/self-signed.ts';

/** One host of a pool: its address, its certificate, and what listens there. */
export class Host {
  readonly ref: string;
  readonly uuid: string;
  readonly name: string;
  readonly address: string;
  readonly controlDomain: string;
  certificate: Certificate;
  alive = true;
  /** Its NBD server's port, once that listens. */
  nbdPort = 0;
  nbdConnections = 0;
  /** Stop and start what listens on its address, and put a new certificate in force; set by who starts the servers. */
  stop: () => Promise<void> = async () => {
    await Promise.resolve();
  };
  restart: () => Promise<void> = async () => {
    await Promise.resolve();
  };
  useCertificate: (certificate: Certificate) => void = () => undefined;

  constructor(identity: HostIdentity, certificate: Certificate) {
    this.ref = identity.ref;
    this.uuid = identity.uuid;
    this.name = identity.name;
    this.address = identity.address;
    this.controlDomain = identity.controlDomain;
    this.certificate = certificate;
  }

  get dnsName(): string {
    return `${this.name}.simulator.test`;
  }
}

export interface HostIdentity {
  readonly ref: string;
  readonly uuid: string;
  readonly name: string;
  readonly address: string;
  /** The reference of its control domain's VM. */
  readonly controlDomain: string;
}
