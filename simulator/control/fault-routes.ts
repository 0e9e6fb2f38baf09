import type { FaultAction, FaultOrder } from '../faults.ts';
import { ROLES } from '../pool/sessions.ts';
import type { Simulator } from '../simulator.ts';
import { refreshSpace } from '../xapi/sr.ts';
import { ControlError, findHost, findObject, findPool } from './control-request.ts';
import type { ControlRoutes } from './control-server.ts';
import { vanish } from './vm-routes.ts';

/** Leaves an SR as much free space as given. */
function fill(simulator: Simulator, uuid: unknown, freeBytes: number): void {
  const { pool, ref } = findObject(simulator, 'SR', uuid);
  const repository = pool.repositories.get(ref);
  if (repository !== undefined) {
    repository.store.capacity = repository.store.used + freeBytes;
    refreshSpace(pool, ref);
  }
}

/** What a fault does to the world beyond the connection that met it. */
export async function strike(simulator: Simulator, action: FaultAction): Promise<void> {
  if (action.killHost !== undefined) {
    await findHost(simulator, action.killHost).host.stop();
  }
  if (action.fillSr !== undefined) {
    fill(simulator, action.fillSr, 0);
  }
  if (action.changeCertificate !== undefined) {
    simulator.changeCertificate(findHost(simulator, action.changeCertificate).host);
  }
  if (action.vanishVm !== undefined) {
    const { pool, ref } = findObject(simulator, 'VM', action.vanishVm);
    await vanish(pool, ref);
  }
}

export const faultRoutes: ControlRoutes = {
  'GET /faults': ({ simulator }) => simulator.faults.list,
  'POST /faults': ({ simulator, body }) => {
    if (typeof body['action'] !== 'object' || typeof body['match'] !== 'object') {
      throw new ControlError(400, 'a fault needs match and action');
    }
    return { id: simulator.faults.order(body as unknown as FaultOrder) };
  },
  'DELETE /faults': ({ simulator }) => {
    simulator.faults.clear();
  },
  'DELETE /faults/:id': ({ simulator, path }) => {
    simulator.faults.clear(path['id']);
  },
  'POST /hosts/:id/kill': async ({ simulator, path }) => {
    await findHost(simulator, path['id']).host.stop();
  },
  'POST /hosts/:id/restart': async ({ simulator, path }) => {
    await findHost(simulator, path['id']).host.restart();
  },
  'POST /hosts/:id/certificate': ({ simulator, path }) => {
    const { host } = findHost(simulator, path['id']);
    simulator.changeCertificate(host);
    return { certificate: host.certificate.certificate };
  },
  'POST /pools/:pool/coordinator': ({ simulator, path, body }) => {
    findPool(simulator, path['pool']).promote(findHost(simulator, body['host']).host);
  },
  'POST /pools/:pool/logout': ({ simulator, path }) => {
    findPool(simulator, path['pool']).sessions.closeAll();
  },
  'POST /pools/:pool/users': ({ simulator, path, body }) => {
    const role = typeof body['role'] === 'string' ? body['role'] : 'pool-admin';
    if (!ROLES.includes(role)) {
      throw new ControlError(400, `role must be one of ${ROLES.join(', ')}`);
    }
    const user = { name: String(body['name']), password: String(body['password']), role };
    findPool(simulator, path['pool']).sessions.users.push(user);
  },
  'POST /srs/:uuid/free': ({ simulator, path, body }) => {
    fill(simulator, path['uuid'], Number(body['bytes'] ?? 0));
  },
};
