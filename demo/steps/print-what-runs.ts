import type { Teller } from '../console/teller.ts';
import type { Programs } from '../processes/start-all.ts';
import type { Told } from '../tell.ts';
import { listVault } from './vault-on-disk.ts';

/** How to look at what stays running, and how to end it. */
export async function printWhatRuns(
  teller: Teller,
  folder: string,
  { service, simulator }: Programs,
  { acme, zenith, vmId }: Told,
): Promise<void> {
  const { url, administratorToken } = service.ready;
  teller.print(`Everything goes on running.

  GraphQL            ${url}/graphql
  REST               ${url}/v1        described at ${url}/v1/openapi.json
  simulator control  ${simulator.ready.control}

  provider's token   ${administratorToken}
  Acme's token       ${acme.api.token}
  Zenith's token     ${zenith.api.token}

Three queries, as Acme may ask them, to paste:

${queries(vmId)
  .map((query) => curl(`${url}/graphql`, acme.api.token, query))
  .join('\n\n')}

What Acme's vault says without Holdfast, from its folder and the keys:

${await listVault(folder)}

The guest began as real file systems and has since been written to at random, by a program that knows nothing of them,
before the first backup too. So e2fsck and mount refuse what is restored from here: the demo compared every byte of it
with what the disks were, and whether a file system survives is not what it shows.

To end it: kill ${service.pid} ${simulator.pid}
What it kept in the folder for temporary files is removed by the next npm run demo.
`);
}

function queries(vmId: string): readonly string[] {
  return [
    '{ vms(first: 10) { edges { node { id name powerState disks { name sizeBytes } } } } }',
    `{ restorePoints(first: 10, vmId: "${vmId}") { edges { node {
       takenAt consistency readBytes storedBytes disks { name path fullReason } } } } }`,
    '{ jobs(first: 10) { edges { node { kind state finishedAt result { bytesRead bytesStored bytesWritten } } } } }',
  ];
}

/** A command for a shell: a query has no apostrophe in it, and its JSON none either. */
function curl(url: string, token: string, query: string): string {
  const body = JSON.stringify({ query: query.replaceAll(/\s+/g, ' ') });
  return `curl -s ${url} -H 'content-type: application/json' -H 'authorization: Bearer ${token}' \\\n  -d '${body}'`;
}
