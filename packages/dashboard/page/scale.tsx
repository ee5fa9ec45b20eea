import { useState } from 'preact/hooks';
import type { WorkloadView } from '../src/protocol.ts';
import { ConfirmButton } from './confirm.tsx';
import { act } from './link.ts';

const scalable = new Set(['Deployment', 'ReplicaSet', 'StatefulSet']);
const restartable = new Set(['Deployment', 'StatefulSet', 'DaemonSet']);

/** Buttons that scale and restart a workload; nothing for kinds that have neither. */
export function Scale({ workload }: { readonly workload: WorkloadView }) {
  const { id, cluster, type, desired, name } = workload;
  /** Typed and not yet sent. */
  const [typed, setTyped] = useState<string | undefined>(undefined);
  const scale = (replicas: number): void => {
    setTyped(undefined);
    if (replicas !== desired && replicas >= 0) void act({ action: 'scale', cluster, id, replicas });
  };
  return (
    <div class="scale">
      {scalable.has(type) && (
        <form
          class="stepper"
          onSubmit={(event) => {
            event.preventDefault();
            if (typed !== undefined && /^\d+$/.test(typed)) scale(Number(typed));
          }}
        >
          <button type="button" aria-label={`One replica less of ${name}`} disabled={desired === 0} onClick={() => scale(desired - 1)}>
            −
          </button>
          <input
            inputMode="numeric"
            aria-label={`Replicas of ${name}; Enter applies`}
            value={typed ?? `${desired}`}
            onInput={(event) => setTyped(event.currentTarget.value)}
            onBlur={() => setTyped(undefined)}
          />
          <button type="button" aria-label={`One replica more of ${name}`} onClick={() => scale(desired + 1)}>
            +
          </button>
        </form>
      )}
      {restartable.has(type) && (
        <ConfirmButton label="Restart" sure="Replace all pods?" onConfirm={() => act({ action: 'restart', cluster, id })} />
      )}
    </div>
  );
}
