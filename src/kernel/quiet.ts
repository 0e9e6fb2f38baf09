/** For work that is awaited, but maybe only after it has failed: until then nobody is told of its error. */
export function quiet<T>(work: Promise<T>): Promise<T> {
  work.catch(() => undefined);
  return work;
}
