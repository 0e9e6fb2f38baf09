import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { findPython, run } from './programs.ts';
import { SpecSimulator } from '../../src/xen/spec-simulator.ts';

const python = findPython();
const story = fileURLToPath(new URL('python/story.py', import.meta.url));

describe('Python’s XenAPI, over XML-RPC', () => {
  it.skipIf(python === undefined)('logs in, snapshots, tracks changes, reads events and cleans up', async () => {
    await using pools = await SpecSimulator.start();
    const { url, username, password } = pools.pool('alpha');
    const vm = await pools.makeVm({ disks: [{ sizeBytes: 4 << 20 }] });
    const output = await run(python ?? '', [story, url, username, password, vm.uuid]);
    const {
      snapshot_time: time,
      event_names: names,
      bad_handle: badHandle,
      ...rest
    } = JSON.parse(output) as Record<string, unknown>;
    expect(time).toMatch(/^\d{8}T\d\d:\d\d:\d\dZ$/);
    expect(names).toStrictEqual(expect.arrayContaining(['web', 'from python']));
    expect(badHandle).toStrictEqual(['HANDLE_INVALID', 'VM', 'OpaqueRef:nothing']);
    expect(rest).toStrictEqual({
      wrong_password: 'SESSION_AUTHENTICATION_FAILED',
      power_state: 'Running',
      memory_is_text: true,
      hosts: 2,
      task_status: 'success',
      is_a_template: true,
      snapshot_of: true,
      macs_kept: true,
      ref_count: 4,
      no_events: true,
      bitmap_is_empty: true,
      unrelated: 'SR_BACKEND_FAILURE_460',
      nbd_port_is_text: true,
      removed: ['MESSAGE_REMOVED'],
      unknown: ['MESSAGE_METHOD_UNKNOWN', 'VM.does_not_exist'],
      count: ['MESSAGE_PARAMETER_COUNT_MISMATCH', 'VM.start', '3', '1'],
      metadata_type: 'cbt_metadata',
    });
    const [left] = await pools.get<object[]>('/leftovers');
    expect(left).toMatchObject({ snapshotVms: [], snapshotVdis: [], cbtMetadataVdis: [], tasks: [], sessions: [] });
  });
});
