/** An activity as the worker calls it. */
export type ActivityFunction = (...args: never[]) => Promise<unknown>;

/**
 * Binds the named methods of the given instances into the record that a worker takes. Throws where a name is missing
 * or two instances have it: a worker that lacks an activity would only be noticed when a job needs it.
 */
export function bindActivities(
  instances: readonly object[],
  names: readonly string[],
): Record<string, ActivityFunction> {
  const activities: Record<string, ActivityFunction> = {};
  for (const name of names) {
    const owners = instances.filter((instance) => typeof Reflect.get(instance, name) === 'function');
    const [owner] = owners;
    if (owner === undefined || owners.length > 1) {
      throw new Error(`${owners.length} classes implement the activity ${name}; exactly one must`);
    }
    activities[name] = (Reflect.get(owner, name) as ActivityFunction).bind(owner);
  }
  return activities;
}
