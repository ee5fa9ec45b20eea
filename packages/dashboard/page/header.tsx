import { formatCount } from '../src/model/format.ts';
import { podStates } from '../src/model/page-store.ts';
import type { PodState } from '../src/protocol.ts';
import { Shape, stateWords } from './shape.tsx';
import { setUi, store, useTopics, useUi, type ViewName } from './state.ts';

const views: readonly (readonly [ViewName, string])[] = [
  ['map', 'Map'],
  ['pods', 'Pods'],
  ['workloads', 'Workloads'],
];

export function Header() {
  const { view, filter } = useUi();
  return (
    <header class="top">
      <a class="skip" href="#main">
        To the content
      </a>
      <div class="bar">
        <div class="brand">
          <img src="/icon.svg" width="26" height="26" alt="" />
          <strong>{store.hello?.title}</strong>
        </div>
        <nav class="tabs" aria-label="Views">
          {views.map(([name, label]) => (
            <button key={name} type="button" aria-current={view === name ? 'page' : undefined} onClick={() => setUi({ view: name })}>
              {label}
            </button>
          ))}
        </nav>
        <Clusters />
        <span class="grow" />
        <Namespaces />
        <input
          id="search"
          type="search"
          placeholder="Search pods   /"
          aria-label="Search pods by name, namespace, node or status"
          value={filter.text}
          onInput={(event) => setUi({ filter: { ...filter, text: event.currentTarget.value } })}
        />
      </div>
      <States />
    </header>
  );
}

function Clusters() {
  useTopics('clusters');
  const { filter } = useUi();
  if (store.clusters.length < 2) return null;
  const choices: readonly (readonly [number | undefined, string])[] = [
    [undefined, 'All clusters'],
    ...store.clusters.map(({ name }, index) => [index, name] as const),
  ];
  return (
    <fieldset class="pills" aria-label="Clusters">
      {choices.map(([cluster, label]) => (
        <button
          key={label}
          type="button"
          aria-pressed={filter.cluster === cluster}
          onClick={() => setUi({ filter: { ...filter, cluster } })}
        >
          {cluster !== undefined && <span class={`light ${store.stateOf(cluster)?.reachable === false ? 'bad' : ''}`} />}
          {label}
        </button>
      ))}
    </fieldset>
  );
}

function Namespaces() {
  useTopics('pods');
  const { filter } = useUi();
  const names = store.namespaces();
  return (
    <select
      aria-label="Namespace"
      value={filter.namespace}
      onChange={(event) => setUi({ filter: { ...filter, namespace: event.currentTarget.value } })}
    >
      <option value="">All namespaces</option>
      {(names.includes(filter.namespace) || filter.namespace === '' ? names : [...names, filter.namespace]).map((name) => (
        <option key={name} value={name}>
          {name}
        </option>
      ))}
    </select>
  );
}

/** Counts by state, which also choose: the legend of colours and shapes. */
function States() {
  useTopics('pods');
  const { filter } = useUi();
  const counts = store.counts(filter.cluster);
  const total = podStates.reduce((sum, state) => sum + counts[state], 0);
  const toggle = (state: PodState): void => {
    const states = new Set(filter.states);
    if (!states.delete(state)) states.add(state);
    setUi({ filter: { ...filter, states } });
  };
  return (
    <fieldset class="states" aria-label="Pods by state">
      <span class="total">
        <b id="total">{formatCount(total)}</b> {total === 1 ? 'pod' : 'pods'}
      </span>
      {podStates.map((state) => (
        <button
          key={state}
          type="button"
          data-state={state}
          class={counts[state] === 0 ? 'chip none' : 'chip'}
          aria-pressed={filter.states.has(state)}
          onClick={() => toggle(state)}
        >
          <Shape state={state} />
          <b>{formatCount(counts[state])}</b> {stateWords[state]}
        </button>
      ))}
    </fieldset>
  );
}
