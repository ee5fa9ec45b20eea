import { existsSync } from 'node:fs';
import { homedir, hostname, userInfo } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { realClock, systemRandom } from '@orrery/base';
import type { LaunchIo } from './launch/launch-io.ts';
import { flagsOfEnvironment, parseArguments } from './options/flags.ts';
import { nameFrom } from './options/names.ts';
import type { UniverseOptions } from './options/settings.ts';

export type { Exposure, UniverseOptions } from './options/settings.ts';

/** Where the program finds itself. */
export interface Universe {
  /** `here`: started plainly. `pod`: deployed. */
  readonly where: 'here' | 'pod';
  /** The program's own arguments: without the flags of this package. */
  readonly args: readonly string[];
  /** Paths of the certificate and its key, where they were given. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
}

/**
 * Lets a program deploy itself: with `--kubernetes` on its command line it is packed, started in pods and shown here, and this process
 * ends with it. Otherwise, and in the pods, it returns at once.
 */
export async function universe(options: UniverseOptions = {}): Promise<Universe> {
  const parsed = parseArguments(process.argv.slice(2));
  const kubernetes = parsed.flags.kubernetes ?? flagsOfEnvironment(process.env).kubernetes;
  if (kubernetes === undefined) {
    const [cert, key] = [parsed.flags['tls-cert']?.[0], parsed.flags['tls-key']?.[0]];
    return { where: 'here', args: parsed.args, tls: cert === undefined || key === undefined ? undefined : { cert, key } };
  }
  process.exit(await deploy(options, parsed));
}

async function deploy(options: UniverseOptions, parsed: ReturnType<typeof parseArguments>): Promise<number> {
  const [{ launch }, { resolveSettings }, { LaunchProblem, UsageProblem }] = await Promise.all([
    import('./launch/launch.ts'),
    import('./options/resolve.ts'),
    import('./options/settings.ts'),
  ]);
  const entry = resolve(options.entry ?? process.argv[1] ?? '');
  const root = packageRootOf(entry);
  try {
    const settings = resolveSettings({ options, parsed, env: process.env, fallbackName: nameFrom(entry.split('/').at(-2) ?? 'app') });
    const nodeMajor = Number(process.versions.node.split('.')[0]);
    return await launch(settings, { entry, root, command: process.argv.slice(1).join(' '), nodeMajor }, terminalIo());
  } catch (error) {
    if (!(error instanceof LaunchProblem || error instanceof UsageProblem)) throw error;
    process.stderr.write(`${error.message}\n`);
    return error instanceof UsageProblem ? 2 : 1;
  }
}

function packageRootOf(entry: string): string {
  for (let folder = dirname(entry); ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder;
    if (folder === dirname(folder)) return dirname(entry);
  }
}

function terminalIo(): LaunchIo {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (stop.signal.aborted) process.exit(130);
      stop.abort(new Error(name));
    });
  }
  // A terminal that is closed takes no more text; that must not keep the run from being cleaned up.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => stop.abort(new Error('nobody listens')));
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    isTerminal: process.stdout.isTTY === true,
    env: process.env,
    home: homedir(),
    startedBy: `${userInfo().username}@${hostname()}`,
    clock: realClock,
    random: systemRandom,
    signal: stop.signal,
  };
}
