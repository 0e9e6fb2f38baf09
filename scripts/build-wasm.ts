import { readFile, writeFile } from 'node:fs/promises';
import { createMemoryStream, main } from 'assemblyscript/asc';

const SOURCE = new URL('../src/engine/chunking/block-hash.as.ts', import.meta.url);
const TARGET = new URL('../src/engine/chunking/generated/block-hash.ts', import.meta.url);

/** Compiles the block hash; the same source and compiler give the same bytes. */
export async function buildBlockHash(): Promise<string> {
  const source = await readFile(SOURCE, 'utf8');
  let binary: Uint8Array | undefined;
  const flags = '--runtime stub --optimizeLevel 3 --shrinkLevel 0 --noAssert --enable simd --enable threads';
  const memory = '--importMemory --sharedMemory --initialMemory 1 --maximumMemory 65536';
  const messages = createMemoryStream();
  const { error } = await main(
    ['block-hash.as.ts', '--outFile', 'out.wasm', ...flags.split(' '), ...memory.split(' ')],
    {
      readFile: (name) => (name === 'block-hash.as.ts' ? source : null),
      writeFile: (_name, contents) => {
        binary = contents as Uint8Array;
      },
      listFiles: () => [],
      stderr: messages,
    },
  );
  if (error !== null || binary === undefined) {
    throw new Error(`The block hash does not compile:\n${messages.toString()}`, { cause: error });
  }
  return Buffer.from(binary).toString('base64');
}

if (import.meta.main) {
  const text = await buildBlockHash();
  await writeFile(
    TARGET,
    `/** WebAssembly of \`../block-hash.as.ts\`, base64; made by \`npm run build:wasm\`. */\nexport const BLOCK_HASH_WASM =\n  '${text}';\n`,
  );
}
