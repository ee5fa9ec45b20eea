import { aborted } from '@orrery/base';
import { type Kubeconfig, loadKubeconfig, transportFromKubeconfig } from '@orrery/client';
import { CliError, defineCommand, exitCodes, noArguments, stringFlag, UsageError } from '../cli/command.ts';

interface DashboardCommandOptions {
  /** Absent: the current one. */
  readonly contexts: readonly string[] | undefined;
  readonly namespace: string | undefined;
  readonly port: number;
  readonly open: boolean;
  readonly kubeconfigs: readonly string[];
}

export const dashboardCommand = defineCommand<DashboardCommandOptions>({
  name: 'dashboard',
  short: 'Show clusters on a local page: nodes, pods, charts, logs',
  options: {
    context: {
      type: 'string',
      placeholder: '<a,b>',
      description: 'contexts of your kubeconfig; "all" for every one (default: the current one)',
    },
    namespace: { type: 'string', placeholder: '<namespace>', description: 'show one namespace alone (default: all)' },
    kubeconfig: { type: 'string', placeholder: '<file>', description: 'instead of $KUBECONFIG or ~/.kube/config' },
    port: { type: 'string', short: 'p', placeholder: '<port>', default: '0', description: 'port on 127.0.0.1; 0 for any free one' },
    'no-open': { type: 'boolean', description: 'print the address, open no browser' },
  },
  examples: [
    ['orrery dashboard', 'Open the page of the current context'],
    ['orrery dashboard --context east,west', 'Two clusters on one page'],
    ['orrery dashboard --no-open --port 8001', 'Print the address, on a port that can be forwarded'],
  ],
  complete(parsed, { env, paths }) {
    noArguments(parsed);
    const { flags } = parsed;
    const file = stringFlag(flags['kubeconfig']);
    const named = (env['KUBECONFIG'] ?? '').split(':').filter((path) => path !== '');
    return {
      contexts: stringFlag(flags['context'])
        ?.split(',')
        .filter((name) => name !== ''),
      namespace: stringFlag(flags['namespace']),
      port: portOf(stringFlag(flags['port']) ?? '0'),
      open: flags['no-open'] !== true,
      kubeconfigs: file !== undefined ? [file] : named.length > 0 ? named : [paths.userKubeconfig],
    };
  },
  async run({ contexts, namespace, port, open, kubeconfigs }, { clock, random, out, err, env }, signal) {
    const config = await loadKubeconfig(kubeconfigs);
    const names = contextNames(config, contexts);
    if (names.length === 0)
      throw new CliError(`no context in ${kubeconfigs.join(', ')}: start a cluster with "orrery up", or name a file with --kubeconfig`);
    const plugins = { env, terminal: process.stdin.isTTY === true };
    const transports = await Promise.all(names.map((context) => transportFromKubeconfig(config, { context, clock, plugins })));
    try {
      const { openDashboard, openInBrowser } = await import('@orrery/dashboard');
      const clusters = names.map((name, index) => ({ name, transport: transports[index] as (typeof transports)[number], namespace }));
      const dashboard = await openDashboard({ clusters, clock, random, port }).catch((cause: NodeJS.ErrnoException) => {
        if (cause.code !== 'EADDRINUSE') throw cause;
        throw new CliError(`port ${port} is taken: choose another with --port, or none for a free one`, { cause });
      });
      out.write(`${dashboard.url}\n`);
      err.write('The page is for you alone: its address carries a secret. Ctrl+C ends it.\n');
      const forget = open ? await openInBrowser(dashboard.url) : undefined;
      await aborted(signal);
      await Promise.all([dashboard.close(), forget?.()]);
    } finally {
      await Promise.all(transports.map((transport) => transport.close()));
    }
    return exitCodes.ok;
  },
});

function contextNames(config: Kubeconfig, wanted: readonly string[] | undefined): readonly string[] {
  if (wanted?.length === 1 && wanted[0] === 'all') return config.contexts.map(({ name }) => name);
  const current = config['current-context'];
  return wanted ?? (current === undefined || current === '' ? [] : [current]);
}

function portOf(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) throw new UsageError(`--port ${JSON.stringify(text)}: must be a number from 0 to 65535`);
  return port;
}
