import type { Clock } from '@orrery/base';
import { type ForwardTarget, newPortForward, type PortForward } from '../forward/forward-ports.ts';
import type { ClusterRun } from './cluster-run.ts';
import type { Connection } from './connect.ts';
import type { Narrator } from './narrator.ts';

export interface DebuggerOptions {
  /** Port in the pods. */
  readonly port: number;
  /** Opens the port of this machine. */
  readonly open: (listen: (local: number) => Promise<PortForward>) => Promise<PortForward>;
  readonly transport: Connection['transport'];
  readonly runs: readonly ClusterRun[];
  readonly clock: Clock;
  readonly narrator: Narrator;
}

/** Carries a debugger of this machine to one pod, and to another only when that one is gone: what it asks belongs together. */
export async function forwardDebugger({ port, open, transport, runs, clock, narrator }: DebuggerOptions): Promise<PortForward> {
  let chosen: ForwardTarget | undefined;
  const pods = (): readonly ForwardTarget[] => {
    const ready = runs.flatMap((run) => run.readyPods());
    const before = chosen?.name;
    chosen = ready.find(({ name }) => name === before) ?? ready[0];
    if (before !== undefined && chosen !== undefined && chosen.name !== before) narrator.say(`the debugger is now that of ${chosen.name}`);
    return chosen === undefined ? [] : [chosen];
  };
  const onProblem = (message: string): void => narrator.problem('debugger', message);
  const forward = await open((local) => newPortForward({ transport, clock, pods, local, remote: port, onProblem }));
  const [first] = pods();
  narrator.say(`debugger of ${first?.name ?? 'the first pod'}: localhost:${forward.port} (chrome://inspect, or "node inspect")`);
  return forward;
}
