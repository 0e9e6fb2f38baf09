import { KIB, MIB } from '../kernel/bytes.ts';
import { cutPieces, isZero } from './block-pieces.ts';
import { requireInside, wholeSectors, type DiskImage, type ImageTarget } from './disk-image.ts';

const MIN_CLUSTER_BYTES = 64 * KIB;
const MAX_CLUSTER_BYTES = 2 * MIB;
/** Clusters grow with the disk, so that the tables that are kept until the end stay near 32 MiB. */
const CLUSTERS_WANTED = 4 * MIB;
const ENTRY_BYTES = 8;
const REFCOUNT_BYTES = 2;
const REFCOUNT_ORDER = 4;
const HEADER_BYTES = 104;
/** Of an entry: the cluster has exactly one owner. */
const COPIED = 1n << 63n;

interface Table {
  readonly position: number;
  readonly entries: Buffer;
}

/** A QCOW2 image, version 3, without backing file: clusters in the order in which they are first written. */
export class Qcow2Image implements DiskImage {
  readonly #target: ImageTarget;
  readonly #sizeBytes: number;
  readonly #clusterBytes: number;
  readonly #directory: Buffer;
  readonly #directoryEntries: number;
  readonly #tables = new Map<number, Table>();
  #clusters: number;

  constructor(target: ImageTarget, sizeBytes: number) {
    this.#target = target;
    this.#sizeBytes = wholeSectors(sizeBytes);
    this.#clusterBytes = clusterBytesFor(sizeBytes);
    const tableReach = this.#perTable * this.#clusterBytes;
    this.#directoryEntries = Math.ceil(this.#sizeBytes / tableReach);
    const directoryClusters = Math.ceil((this.#directoryEntries * ENTRY_BYTES) / this.#clusterBytes);
    this.#directory = Buffer.alloc(directoryClusters * this.#clusterBytes);
    this.#clusters = 1 + directoryClusters;
  }

  get #perTable(): number {
    return this.#clusterBytes / ENTRY_BYTES;
  }

  async write(offset: number, data: Uint8Array): Promise<void> {
    requireInside(offset, data.length, this.#sizeBytes);
    const writes: Promise<void>[] = [];
    for (const piece of cutPieces(offset, data, this.#clusterBytes)) {
      const position = this.#find(piece.block) ?? (isZero(piece.data) ? null : this.#allocateFor(piece.block));
      if (position !== null) {
        writes.push(this.#target.write(position + piece.at, piece.data));
      }
    }
    await Promise.all(writes);
  }

  async hole(offset: number, length: number): Promise<void> {
    requireInside(offset, length, this.#sizeBytes);
  }

  /** Its header comes last: without it, it is no image. */
  async finish(): Promise<void> {
    for (const [index, table] of this.#tables) {
      this.#directory.writeBigUInt64BE(BigInt(table.position) | COPIED, index * ENTRY_BYTES);
      await this.#target.write(table.position, table.entries);
    }
    const counts = this.#layOutRefcounts();
    await this.#target.resize(counts.total * this.#clusterBytes);
    await this.#target.write(counts.at, counts.bytes);
    await this.#target.write(this.#clusterBytes, this.#directory);
    await this.#target.write(0, this.#header(counts));
  }

  #find(cluster: number): number | null {
    const table = this.#tables.get(Math.floor(cluster / this.#perTable));
    const entry = table?.entries.readBigUInt64BE((cluster % this.#perTable) * ENTRY_BYTES) ?? 0n;
    return entry === 0n ? null : Number(entry & ~COPIED);
  }

  #allocateFor(cluster: number): number {
    const index = Math.floor(cluster / this.#perTable);
    const table = this.#tables.get(index) ?? {
      position: this.#allocate(),
      entries: Buffer.alloc(this.#clusterBytes),
    };
    this.#tables.set(index, table);
    const position = this.#allocate();
    table.entries.writeBigUInt64BE(BigInt(position) | COPIED, (cluster % this.#perTable) * ENTRY_BYTES);
    return position;
  }

  #allocate(): number {
    this.#clusters += 1;
    return (this.#clusters - 1) * this.#clusterBytes;
  }

  /** Every cluster is used once: the reference counts are ones, for themselves too. */
  #layOutRefcounts(): Refcounts {
    const perBlock = this.#clusterBytes / REFCOUNT_BYTES;
    let blocks = 0;
    let tableClusters = 0;
    let total = this.#clusters;
    for (let before = 0; before !== total;) {
      before = total;
      blocks = Math.ceil(total / perBlock);
      tableClusters = Math.ceil((blocks * ENTRY_BYTES) / this.#clusterBytes);
      total = this.#clusters + tableClusters + blocks;
    }
    const at = this.#clusters * this.#clusterBytes;
    const bytes = Buffer.alloc((tableClusters + blocks) * this.#clusterBytes);
    const blocksAt = tableClusters * this.#clusterBytes;
    for (let block = 0; block < blocks; block += 1) {
      bytes.writeBigUInt64BE(BigInt(at + blocksAt + block * this.#clusterBytes), block * ENTRY_BYTES);
    }
    for (let cluster = 0; cluster < total; cluster += 1) {
      bytes.writeUInt16BE(1, blocksAt + cluster * REFCOUNT_BYTES);
    }
    return { at, bytes, total, tableClusters };
  }

  #header({ at, tableClusters }: Refcounts): Buffer {
    const header = Buffer.alloc(this.#clusterBytes);
    header.write('QFI\u00fb', 0, 'latin1');
    header.writeUInt32BE(3, 4);
    header.writeUInt32BE(Math.log2(this.#clusterBytes), 20);
    header.writeBigUInt64BE(BigInt(this.#sizeBytes), 24);
    header.writeUInt32BE(this.#directoryEntries, 36);
    header.writeBigUInt64BE(BigInt(this.#clusterBytes), 40);
    header.writeBigUInt64BE(BigInt(at), 48);
    header.writeUInt32BE(tableClusters, 56);
    header.writeUInt32BE(REFCOUNT_ORDER, 96);
    header.writeUInt32BE(HEADER_BYTES, 100);
    return header;
  }
}

interface Refcounts {
  readonly at: number;
  readonly bytes: Buffer;
  readonly total: number;
  readonly tableClusters: number;
}

function clusterBytesFor(sizeBytes: number): number {
  let bytes = MIN_CLUSTER_BYTES;
  while (bytes < MAX_CLUSTER_BYTES && sizeBytes / bytes > CLUSTERS_WANTED) {
    bytes *= 2;
  }
  return bytes;
}
