"""What Python's XenAPI does with a simulated pool; prints what it saw as JSON. argv: url, username, password, VM uuid."""

import base64
import json
import sys
import time

import XenAPI

url, username, password, vm_uuid = sys.argv[1:]
seen = {}


def failure(call, *args):
    try:
        call(*args)
    except XenAPI.Failure as error:
        return error.details
    raise AssertionError("it did not fail")


session = XenAPI.Session(url, ignore_ssl=True)
seen["wrong_password"] = failure(session.xenapi.login_with_password, username, "wrong")[0]
session.xenapi.login_with_password(username, password, "1.0", "python")
api = session.xenapi

vm = api.VM.get_by_uuid(vm_uuid)
record = api.VM.get_record(vm)
seen["power_state"] = record["power_state"]
seen["memory_is_text"] = isinstance(record["memory_static_max"], str)
seen["hosts"] = len(api.host.get_all_records())

disk = [api.VBD.get_VDI(vbd) for vbd in record["VBDs"]][0]
api.VDI.enable_cbt(disk)
task = api.Async.VM.snapshot(vm, "from python", [])
while api.task.get_status(task) == "pending":
    time.sleep(0.01)
seen["task_status"] = api.task.get_status(task)
snapshot = api.task.get_result(task)[len("<value>") : -len("</value>")]
api.task.destroy(task)
seen["is_a_template"] = api.VM.get_is_a_template(snapshot)
seen["snapshot_of"] = api.VM.get_snapshot_of(snapshot) == vm
seen["macs_kept"] = [api.VIF.get_MAC(vif) for vif in api.VM.get_VIFs(snapshot)] == [
    api.VIF.get_MAC(vif) for vif in record["VIFs"]
]
copy = api.VBD.get_VDI(api.VM.get_VBDs(snapshot)[0])
seen["snapshot_time"] = str(api.VDI.get_snapshot_time(copy))

# "from" is a keyword of Python: the package has no other way to call it.
batch = session.xenapi_request("event.from", (["vm", "task"], "", 1.0))
seen["event_names"] = sorted(
    event["snapshot"]["name_label"] for event in batch["events"] if event["class"] == "vm" and "snapshot" in event
)
seen["ref_count"] = batch["valid_ref_counts"]["vm"]
empty = session.xenapi_request("event.from", (["vm"], batch["token"], 0.2))
seen["no_events"] = empty["events"] == []

other = api.VDI.snapshot(disk)
bitmap = base64.b64decode(api.VDI.list_changed_blocks(copy, other))
seen["bitmap_is_empty"] = bitmap == bytes(len(bitmap))
seen["unrelated"] = failure(api.VDI.list_changed_blocks, other, copy)[0]
seen["nbd_port_is_text"] = isinstance(api.VDI.get_nbd_info(other)[0]["port"], str)

seen["removed"] = failure(api.VM.snapshot_with_quiesce, vm, "x")
seen["unknown"] = failure(api.VM.does_not_exist, vm)
seen["count"] = failure(api.VM.start, vm)
seen["bad_handle"] = failure(api.VM.get_record, "OpaqueRef:nothing")

api.VM.destroy(snapshot)
api.VDI.data_destroy(copy)
seen["metadata_type"] = api.VDI.get_type(copy)
api.VDI.destroy(copy)
api.VDI.destroy(other)
api.VDI.disable_cbt(disk)
api.session.logout()
print(json.dumps(seen))
