import type { ClusterPaths } from '../cli/paths.ts';
import type { UpOptions } from '../cmd/up.ts';

/** Short live status of a start, one line a step. Colours only on a terminal. */
export interface Progress {
  /** @param elapsedMs - How long the step took. */
  step(what: string, detail: string, elapsedMs: number): void;
  /** Something that does not work here, and what to do about it; said once. */
  note(text: string): void;
}

export function newProgress(err: { write(text: string): void; readonly isTerminal: boolean }): Progress {
  const paint = (code: number, text: string): string => (err.isTerminal ? `\u001b[${code}m${text}\u001b[0m` : text);
  return {
    step: (what, detail, elapsedMs) =>
      err.write(`${paint(32, '✔')} ${what.padEnd(12)} ${detail} ${paint(90, `${Math.round(elapsedMs)} ms`)}\n`),
    note: (text) => err.write(`${paint(33, '!')} ${text}\n`),
  };
}

/** What to do next, for a user who has just started a cluster. */
export function readyText({ name, mergeKubeconfig }: UpOptions, { kubeconfig }: ClusterPaths, mode: 'detached' | 'foreground'): string {
  const suffix = name === 'default' ? '' : ` --name ${name}`;
  const use = mergeKubeconfig ? '  kubectl get nodes\n' : `  export KUBECONFIG=${kubeconfig}\n  kubectl get nodes\n`;
  const stop = mode === 'detached' ? `Stop it with "orrery down${suffix}".\n` : 'Press Ctrl+C to stop it.\n';
  return `Cluster "${name}" is ready. Use it:\n${use}${stop}`;
}
