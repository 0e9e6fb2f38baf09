// @ts-nocheck: AssemblyScript, compiled to WebAssembly by `npm run build:wasm`.

// NH, the universal hash of UMAC, over one block: the sum of (m[i] + k[i]) × (m[i+4] + k[i+4]) over 32-bit words,
// 32 bytes a step, then mixed to 64 bits. Two blocks that differ collide with a probability of about 2^-32 a lane.

/** Writes for each block 64 bits to `out`: 0 if all its bytes are zero, else an odd number. */
export function hashBlocks(keys: usize, data: usize, blocks: i32, blockBytes: i32, out: usize): void {
  const m1 = load<u64>(keys, 0) | 1;
  const m2 = load<u64>(keys, 8) | 1;
  const m3 = load<u64>(keys, 16) | 1;
  const words = keys + 32;
  let at = data;
  for (let block = 0; block < blocks; block++) {
    let sum = i64x2.splat(0);
    let any = i64x2.splat(0);
    for (let i: usize = 0; i < <usize>blockBytes; i += 32) {
      const a = v128.load(at + i);
      const b = v128.load(at + i, 16);
      any = v128.or(any, v128.or(a, b));
      const x = i32x4.add(a, v128.load(words + i));
      const y = i32x4.add(b, v128.load(words + i, 16));
      sum = i64x2.add(sum, i64x2.add(i64x2.extmul_low_i32x4_u(x, y), i64x2.extmul_high_i32x4_u(x, y)));
    }
    let hash: u64 = 0;
    if (v128.any_true(any)) {
      hash = <u64>i64x2.extract_lane(sum, 0) * m1 + rotl<u64>(<u64>i64x2.extract_lane(sum, 1), 32) * m2;
      hash = (hash ^ (hash >> 32)) * m3;
      hash = (hash ^ (hash >> 29)) | 1;
    }
    store<u64>(out + ((<usize>block) << 3), hash);
    at += <usize>blockBytes;
  }
}
