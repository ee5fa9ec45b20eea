import type { PodState } from '../src/protocol.ts';

/** The same shapes as on the canvas. */
const paths: Readonly<Record<PodState, string>> = {
  running: 'M4 1h8a3 3 0 0 1 3 3v8a3 3 0 0 1-3 3H4a3 3 0 0 1-3-3V4a3 3 0 0 1 3-3z',
  starting: 'M8 1a7 7 0 0 0 0 14V13A5 5 0 0 1 8 3zM8 1a7 7 0 0 1 0 14z',
  pending: 'M8 .8 15.2 8 8 15.2.8 8zm0 3L3.800 8 8 12.200 12.200 8z',
  failing: 'M8 1l7 14H1z',
  failed: 'M3.500 1 8 5.500 12.500 1 15 3.500 10.500 8 15 12.500 12.500 15 8 10.500 3.500 15 1 12.500 5.500 8 1 3.500z',
  succeeded: 'M8 3a5 5 0 1 1 0 10A5 5 0 0 1 8 3z',
  terminating: 'M1 1h5v2H3v3H1zM10 1h5v5h-2V3h-3zM1 10h2v3h3v2H1zM13 10h2v5h-5v-2h3z',
  unknown: 'M8 .8 15.2 8 8 15.2.8 8zm0 3L3.800 8 8 12.200 12.200 8z',
};

export function Shape({ state, size = 12 }: { readonly state: PodState; readonly size?: number }) {
  return (
    <svg class={`shape ${state}`} width={size} height={size} viewBox="0 0 16 16" aria-hidden="true">
      <path d={paths[state]} fill-rule="evenodd" />
    </svg>
  );
}

export const stateWords: Readonly<Record<PodState, string>> = {
  running: 'Running',
  starting: 'Starting',
  pending: 'Pending',
  failing: 'Failing',
  failed: 'Failed',
  succeeded: 'Completed',
  terminating: 'Terminating',
  unknown: 'Unknown',
};
