import { writeFile } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'rolldown';

/**
 * Puts the built engine into few files, in place of the modules that others import. Loading its hundred and fifty modules
 * one by one takes as long as compressing many a small backup, in the program and in each of its worker threads. The kernel
 * stays apart: the rest of Holdfast uses it too, and its classes must be the same ones.
 */
const ENGINE = fileURLToPath(new URL('../dist/src/engine', import.meta.url));
const KERNEL = join(ENGINE, '..', 'kernel') + sep;

const { output } = await build({
  cwd: ENGINE,
  // Its threads' program lies beside the engine then, where its own module looks for it.
  input: { index: './index.js', 'lane-worker': './worker/lane-worker.js' },
  platform: 'node',
  external: (id) => isPackage(id) || id.startsWith(KERNEL),
  output: {
    dir: ENGINE,
    format: 'esm',
    sourcemap: true,
    paths: (id) => (isPackage(id) ? id : relative(ENGINE, id)),
    entryFileNames: '[name].js',
    chunkFileNames: 'common.js',
  },
});

for (const file of output) {
  if (file.type === 'chunk') {
    await writeFile(join(ENGINE, file.fileName), toAscii(file.code));
  }
}

/** `node:` modules too. */
function isPackage(id: string): boolean {
  return !id.startsWith('.') && !isAbsolute(id);
}

/** One character beyond Latin 1 makes Node hold, and read, all of the source in twice as many bytes. */
function toAscii(code: string): string {
  return code.replaceAll(/[^\0-\x7F]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
