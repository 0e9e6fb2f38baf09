import type { Teller } from '../console/teller.ts';
import type { Programs } from '../processes/start-all.ts';
import type { Told } from '../tell.ts';

/** How to look at what stays running, and how to end it. */
export function printWhatRuns(teller: Teller, { service, simulator }: Programs, { acme, zenith, vmId }: Told): void {
  const { url, administratorToken } = service.ready;
  teller.print(`Everything goes on running.

  GraphQL            ${url}/graphql
  REST               ${url}/v1        described at ${url}/v1/openapi.json
  simulator control  ${simulator.ready.control}

  provider's token   ${administratorToken}
  Acme's token       ${acme.api.token}
  Zenith's token     ${zenith.api.token}

Three queries to paste, for example as
  curl -s ${url}/graphql -H 'content-type: application/json' -H 'authorization: Bearer TOKEN' -d '{"query":"…"}'

  { vms(first: 10) { edges { node { id name powerState disks { name sizeBytes } } } } }

  { restorePoints(first: 10, vmId: "${vmId}") { edges { node { takenAt consistency readBytes storedBytes
    disks { name path fullReason } } } } }

  { jobs(first: 10) { edges { node { kind state startedAt finishedAt result { bytesRead bytesStored restoredVmUuid } } } } }

To end it: kill ${service.pid} ${simulator.pid}
`);
}
