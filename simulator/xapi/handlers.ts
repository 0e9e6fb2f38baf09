import type { Handler, Handlers } from '../rpc/call.ts';
import { blockHandlers } from './vdi-changed-blocks.ts';
import { eventHandlers } from './event.ts';
import { hostHandlers } from './host.ts';
import { messageHandlers } from './message.ts';
import { networkHandlers } from './network.ts';
import { sessionHandlers } from './session.ts';
import { srHandlers } from './sr.ts';
import { taskHandlers } from './task.ts';
import { vbdHandlers } from './vbd.ts';
import { vdiHandlers } from './vdi.ts';
import { vifHandlers } from './vif.ts';
import { vmHandlers } from './vm.ts';
import { powerHandlers } from './vm-power.ts';
import { snapshotHandlers } from './vm-snapshot.ts';

const ALL: readonly Handlers[] = [
  blockHandlers,
  eventHandlers,
  hostHandlers,
  messageHandlers,
  networkHandlers,
  powerHandlers,
  sessionHandlers,
  snapshotHandlers,
  srHandlers,
  taskHandlers,
  vbdHandlers,
  vdiHandlers,
  vifHandlers,
  vmHandlers,
];

/** What is implemented by name; the rest of the data model is generated or NOT_IMPLEMENTED. */
export const HANDLERS: ReadonlyMap<string, Handler> = new Map(ALL.flatMap((each) => Object.entries(each)));
