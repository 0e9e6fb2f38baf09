import type { Pool } from '../pool/pool.ts';
import type { Layer } from '../storage/layer.ts';

/** Sets `sm_config.vhd-parent`, which names the base that a disk stands on. */
function setParent(pool: Pool, vdi: string, parent: Layer | undefined): void {
  const { 'vhd-parent': before, ...rest } = pool.db.map('VDI', vdi, 'sm_config');
  if (before !== parent?.uuid) {
    pool.db.set('VDI', vdi, { sm_config: parent === undefined ? rest : { ...rest, 'vhd-parent': parent.uuid } });
  }
}

/**
 * Brings the unmanaged VDIs of an SR in line with its chains: every layer that disks stand on is one, as long as it
 * is there. Merging takes them away some time after the snapshot that made them.
 */
export function refreshBaseCopies(pool: Pool, sr: string): void {
  const { db } = pool;
  const store = pool.repositories.get(sr)?.store;
  if (store === undefined) {
    return;
  }
  const bases = new Map([...store.baseLayers].map((layer) => [layer.uuid, layer]));
  const known = db.list('SR', sr, 'VDIs').filter((vdi) => !db.flag('VDI', vdi, 'managed'));
  for (const vdi of known.filter((each) => !bases.has(db.text('VDI', each, 'uuid')))) {
    db.destroy('VDI', vdi);
  }
  for (const layer of bases.values()) {
    const size = { virtual_size: layer.virtualSize, physical_utilisation: layer.usedBytes };
    const vdi =
      db.findByUuid('VDI', layer.uuid) ??
      db.create('VDI', {
        ...size,
        uuid: layer.uuid,
        location: layer.uuid,
        name_label: 'base copy',
        SR: sr,
        type: 'user',
        managed: false,
        read_only: true,
      });
    setParent(pool, vdi, layer.parent);
  }
  for (const vdi of db.list('SR', sr, 'VDIs')) {
    const volume = pool.volumes.get(vdi);
    if (volume !== undefined) {
      setParent(pool, vdi, volume.top.parent);
    }
  }
}
