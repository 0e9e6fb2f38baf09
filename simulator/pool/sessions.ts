import { XapiError } from '../xapi-error.ts';
import type { Database } from '../model/database.ts';
import { toDatetime } from '../model/values.ts';

export const ROLES = ['read-only', 'vm-operator', 'vm-admin', 'vm-power-admin', 'pool-operator', 'pool-admin'];

export interface User {
  readonly name: string;
  readonly password: string;
  readonly role: string;
}

/** Who may log in, and who is. Sessions live as long as their coordinator. */
export class Sessions {
  readonly users: User[] = [];
  readonly #roles = new Map<string, string>();
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  find(name: string, password: string): User | undefined {
    return this.users.find((user) => user.name === name && user.password === password);
  }

  open(user: User, hostRef: string, originator = ''): string {
    const now = toDatetime(Date.now());
    const ref = this.#db.create('session', {
      this_host: hostRef,
      last_active: now,
      validation_time: now,
      auth_user_name: user.name,
      is_local_superuser: user.role === 'pool-admin',
      originator,
    });
    this.#roles.set(ref, user.role);
    return ref;
  }

  close(ref: string): void {
    if (this.#roles.delete(ref)) {
      this.#db.destroy('session', ref);
    }
  }

  closeAll(): void {
    for (const ref of this.#roles.keys()) {
      this.close(ref);
    }
  }

  has(ref: string): boolean {
    return this.#roles.has(ref);
  }

  get refs(): string[] {
    return [...this.#roles.keys()];
  }

  /** Throws SESSION_INVALID, or RBAC_PERMISSION_DENIED where the session's role is below the least role. */
  authorise(ref: string, permission: string, leastRole: string | undefined): void {
    const role = this.#roles.get(ref);
    if (role === undefined) {
      throw new XapiError('SESSION_INVALID', [ref]);
    }
    if (leastRole !== undefined && ROLES.indexOf(role) < ROLES.indexOf(leastRole)) {
      throw new XapiError('RBAC_PERMISSION_DENIED', [
        permission,
        `Permission denied: the role ${role} may not call it; it needs ${leastRole}`,
      ]);
    }
  }
}
