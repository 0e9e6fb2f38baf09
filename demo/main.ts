import { GraphqlClient } from './clients/graphql.ts';
import { SimulatorClient } from './clients/simulator.ts';
import { WebhookReceiver } from './clients/webhook-receiver.ts';
import { type DemoArguments, HELP, readArguments, UsageError } from './arguments.ts';
import { Teller } from './console/teller.ts';
import { keepRunFolder, makeRunFolder, removeFolder } from './processes/run-folder.ts';
import { type Programs, startAll } from './processes/start-all.ts';
import { whatIsMissing } from './processes/tools.ts';
import { printWhatRuns } from './steps/print-what-runs.ts';
import { Story } from './story.ts';
import { type Told, tell } from './tell.ts';

async function play(args: DemoArguments): Promise<boolean> {
  const teller = new Teller();
  const story = new Story(teller);
  const receiver = new WebhookReceiver();
  const folder = await makeRunFolder();
  const interrupt = new AbortController();
  let starting: Promise<Programs> | undefined;
  let told: Told | undefined;
  let stopping: Promise<void> | undefined;
  const stopAll = async (): Promise<void> => {
    interrupt.abort();
    receiver.close();
    // A start that failed, or is interrupted by this, has ended what it had started.
    const programs = await starting?.catch(() => undefined);
    await Promise.all([programs?.service.stop(), programs?.simulator.stop()]);
    await removeFolder(folder);
  };
  // Once, whoever asks: a program that is told a second time to end leaves its own clean-up out.
  const stop = async (): Promise<void> => await (stopping ??= stopAll());
  process.once('SIGINT', () => void stop().finally(() => process.exit(130)));
  process.once('SIGTERM', () => void stop().finally(() => process.exit(143)));
  try {
    const started = await story.step('Start two pools and Holdfast', async (account) => {
      starting = startAll({ folder, keep: args.keep, interrupt: interrupt.signal }, teller);
      const running = await starting;
      account.detail = 'PostgreSQL, Temporal, Holdfast and the simulated pools are up';
      return running;
    });
    const { service, simulator } = started;
    told = await tell(story, {
      folder,
      teller,
      simulator: new SimulatorClient(simulator.ready),
      receiver,
      provider: new GraphqlClient(service.ready.url, service.ready.administratorToken),
    });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    teller.print(`\n${interrupt.signal.aborted ? 'Interrupted; ending what runs.' : why}`);
  }
  teller.print(`\n${story.table()}\n`);
  const ok = told !== undefined && story.ok;
  if (args.report !== undefined) {
    await story.writeReport(args.report, ok);
  }
  if (args.keep && ok && starting !== undefined && told !== undefined) {
    const programs = await starting;
    receiver.close();
    await keepRunFolder(folder, [programs.service.pid, programs.simulator.pid]);
    await printWhatRuns(teller, folder, programs, told);
  } else {
    await stop();
  }
  return ok;
}

async function main(): Promise<number> {
  const args = readArguments(process.argv.slice(2));
  if (args.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const missing = whatIsMissing();
  if (missing !== null) {
    process.stderr.write(`${missing}\n`);
    return 1;
  }
  return (await play(args)) ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof UsageError)) {
    throw error;
  }
  process.stderr.write(`${error.message}\n\n${HELP}`);
  process.exitCode = 2;
}
