import { FrameOpener } from '../format/pack-reader.ts';
import { slotView, type LaneMemory } from './lane-memory.ts';
import type { DecodeTask } from './protocol.ts';

/** Opens, decompresses and checks frames from one slot into the other. VAULT_CORRUPT names the pack. */
export function decodeFrames(lane: LaneMemory, digestKey: Uint8Array, task: DecodeTask): void {
  const from = slotView(lane, task.from);
  const to = slotView(lane, task.to);
  const openers = task.packs.map((pack) => new FrameOpener(pack, digestKey));
  for (const { pack, frame, sealedAt, rawAt } of task.frames) {
    const [first = 0, ...copies] = rawAt;
    const end = first + frame.rawBytes;
    openers[pack]?.openInto(frame, from.subarray(sealedAt, sealedAt + frame.sealedBytes), to.subarray(first, end));
    for (const at of copies) {
      to.copyWithin(at, first, end);
    }
  }
}
