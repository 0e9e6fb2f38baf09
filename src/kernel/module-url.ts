/** The URL of a sibling module, for worker threads: with the extension the caller itself runs from (`.ts` or built `.js`). */
export function siblingModule(callerUrl: string, name: string): URL {
  return new URL(`${name}${callerUrl.endsWith('.ts') ? '.ts' : '.js'}`, callerUrl);
}
