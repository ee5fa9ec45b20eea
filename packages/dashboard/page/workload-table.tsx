import { formatAge } from '../src/model/format.ts';
import type { WorkloadView } from '../src/protocol.ts';
import { Scale } from './scale.tsx';
import { serverNow, setUi, store, useTopics, useUi } from './state.ts';

const ROWS_MAX = 300;

/** What makes pods: only what nothing else made. */
export function WorkloadTable() {
  useTopics('workloads');
  const { filter } = useUi();
  const words = filter.text.toLowerCase().split(/\s+/);
  const fits = ({ cluster, namespace, name, type, owner }: WorkloadView): boolean =>
    owner === '' &&
    (filter.cluster === undefined || filter.cluster === cluster) &&
    (filter.namespace === '' || filter.namespace === namespace) &&
    words.every((word) => `${namespace} ${name} ${type}`.toLowerCase().includes(word));
  const all = [...store.workloads.values()]
    .filter(fits)
    .sort((a, b) => `${a.namespace}/${a.name}`.localeCompare(`${b.namespace}/${b.name}`));
  if (all.length === 0) return <p class="empty">No workload fits.</p>;
  return (
    <div class="cards">
      {all.slice(0, ROWS_MAX).map((workload) => (
        <WorkloadCard key={workload.id} workload={workload} />
      ))}
      {all.length > ROWS_MAX && <p class="empty">and {all.length - ROWS_MAX} more: search for a name</p>}
    </div>
  );
}

function WorkloadCard({ workload }: { readonly workload: WorkloadView }) {
  const { type, name, namespace, desired, ready, message, createdMs, cluster } = workload;
  const whole = ready >= desired;
  return (
    <article class={whole ? 'card' : 'card partly'}>
      <button type="button" class="card-title" onClick={() => setUi({ selected: workload.id })}>
        <span class="kind">{type}</span>
        <b>{name}</b>
        <span class="facts">
          {store.clusters.length > 1 && `${store.clusters[cluster]?.name} · `}
          {namespace} · {formatAge(serverNow() - createdMs)}
        </span>
      </button>
      <div class="progress">
        <div class="track">
          <div class="fill" style={{ width: `${desired === 0 ? 0 : Math.min(100, (ready / desired) * 100)}%` }} />
        </div>
        <span>
          {ready} of {desired} {type === 'Job' ? 'done' : 'ready'}
        </span>
      </div>
      {message !== '' && <p class="problem">{message}</p>}
      <Scale workload={workload} />
    </article>
  );
}
