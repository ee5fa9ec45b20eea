// What runs in child processes: `measure <line> <directory> <quick|full>` or `peer <name>`, answered by one message to the parent.
import { once } from 'node:events';
import type { MeasureContext } from './line.ts';
import { lines } from './lines.ts';
import { peers } from './peers.ts';
import { childEnvironment, endProcess, spawnNode } from './processes.ts';

const [, script = '', mode, name = '', directory = '', size] = process.argv;
const stop = new AbortController();
process.on('SIGTERM', () => stop.abort(new Error('the time is over')));

async function peer(peerName: string, options: unknown): Promise<unknown> {
  const child = spawnNode([script, 'peer', peerName], childEnvironment());
  const end = (): void => void child.kill('SIGKILL');
  stop.signal.addEventListener('abort', end);
  try {
    child.send({ options });
    const answered = once(child, 'message') as Promise<[{ readonly result?: unknown; readonly failure?: string }]>;
    const exited = once(child, 'exit').then(() => [{ failure: 'ended without an answer' }] as const);
    const [message] = await Promise.race([answered, exited]);
    if (message.failure !== undefined) throw new Error(`${peerName}: ${message.failure}`);
    return 'result' in message ? message.result : undefined;
  } finally {
    stop.signal.removeEventListener('abort', end);
    await endProcess(child, 1000);
  }
}

async function measure(): Promise<unknown> {
  const line = lines.find((candidate) => candidate.name === name);
  if (line === undefined) throw new Error(`no line ${name}`);
  const context: MeasureContext = { quick: size === 'quick', directory, signal: stop.signal, peer };
  return { samples: await line.measure(context) };
}

async function serveAsPeer(): Promise<unknown> {
  const [{ options }] = (await once(process, 'message')) as [{ readonly options: unknown }];
  const run = peers[name];
  if (run === undefined) throw new Error(`no peer ${name}`);
  return { result: await run(options as never) };
}

const failureOf = (err: unknown): unknown => ({ failure: err instanceof Error ? (err.stack ?? err.message) : String(err) });

void (mode === 'peer' ? serveAsPeer() : measure()).catch(failureOf).then((answer) => process.send?.(answer, () => process.exit()));
