#!/usr/bin/env node
import * as zlib from 'node:zlib';

// What is imported below needs zstd at once: an older Node would end with an error that says nothing.
if ('zstdDecompressSync' in zlib) {
  const { runVaultTool } = await import('./vault-tool/run.ts');
  process.exitCode = await runVaultTool(process.argv.slice(2));
} else {
  process.stderr.write(`holdfast-vault needs Node 24 or newer; this is ${process.version}.\n`);
  process.exitCode = 1;
}
