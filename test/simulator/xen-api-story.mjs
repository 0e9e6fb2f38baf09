/** What the npm package xen-api does with a simulated pool; prints what it saw as JSON. argv: url, user, password, VM. */
import { once } from 'node:events';
import { createClient } from 'xen-api';

const [, , url, user, password, vmUuid] = process.argv;
const seen = {};

const failure = async (promise) => {
  try {
    await promise;
  } catch (error) {
    return [error.code, ...error.params];
  }
  throw new Error('it did not fail');
};

const xapi = createClient({ url, auth: { user, password }, allowUnauthorized: true, watchEvents: true });
await xapi.connect();
await xapi.objectsFetched;
seen.pool = xapi.pool.name_label;

const vm = xapi.getObjectByUuid(vmUuid);
seen.powerState = vm.power_state;
const snapshotRef = await xapi.callAsync('VM.snapshot', vm.$ref, 'from xen-api');
seen.result = snapshotRef.startsWith('OpaqueRef:');
const snapshot = await xapi.getRecord('VM', snapshotRef);
seen.snapshot = [snapshot.name_label, snapshot.is_a_template, snapshot.snapshot_of === vm.$ref];
while (xapi.getObject(snapshotRef, undefined) === undefined) {
  await once(xapi.objects, 'add');
}
seen.event = xapi.getObject(snapshotRef).name_label;
await xapi.setFieldEntry('VM', snapshotRef, 'other_config', 'stamp', 'ours');
seen.stamp = (await xapi.getField('VM', snapshotRef, 'other_config')).stamp;
seen.count = await failure(xapi.call('VM.snapshot', vm.$ref));
seen.failedTask = await failure(xapi.callAsync('VM.start', vm.$ref, false, false));

const [vbd] = snapshot.VBDs;
const disk = await xapi.getField('VBD', vbd, 'VDI');
await xapi.call('VM.destroy', snapshotRef);
await xapi.call('VDI.destroy', disk);

const size = 2 << 20;
const record = { name_label: 'uploaded', virtual_size: size, type: 'user', sharable: false, read_only: false };
const SR = process.argv[6];
const vdi = await xapi.call('VDI.create', { ...record, SR, other_config: {} });
const query = { vdi, format: 'raw' };
const task = await xapi.call('task.create', 'upload', '');
await xapi.putResource(Buffer.alloc(size, 7), '/import_raw_vdi', { query, task });
seen.uploaded = await xapi.getField('VDI', vdi, 'uuid');
await xapi.disconnect();
process.stdout.write(JSON.stringify(seen));
process.exit(0);
