import type { Settings } from '../options/settings.ts';
import { runSelector } from '../plan/labels.ts';
import type { Plan } from '../plan/plan.ts';
import type { Connection } from './connect.ts';
import type { LaunchIo } from './launch-io.ts';
import type { Narrator } from './narrator.ts';

interface ShowOptions {
  readonly settings: Pick<Settings, 'name'>;
  readonly plans: readonly { readonly connection: Connection; readonly plan: Plan }[];
  readonly io: LaunchIo;
  readonly narrator: Narrator;
  /** The user pressed "stop" on the page. */
  readonly stop: () => void;
}

/** Opens a page with what runs in all clusters. @returns how to end it */
export async function showDashboard({ settings, plans, io, narrator, stop }: ShowOptions): Promise<() => Promise<void>> {
  const { openDashboard, openInBrowser } = await import('@orrery/dashboard');
  const clusters = plans.map(({ connection: { name, transport }, plan: { run } }) => ({
    name,
    transport,
    namespace: run.namespace,
    selector: runSelector(run),
    stop: async () => stop(),
  }));
  const page = await openDashboard({ clusters, title: settings.name, clock: io.clock, random: io.random });
  narrator.say(`dashboard: ${page.url}`);
  const forget = io.isTerminal ? await openInBrowser(page.url) : undefined;
  return async () => {
    await Promise.all([page.close(), forget?.()]);
  };
}
