import type { ComponentChildren } from 'preact';
import { formatAge, formatBytes, formatCpu } from '../src/model/format.ts';
import type { Box } from '../src/model/page-store.ts';
import type { PodView, WorkloadView } from '../src/protocol.ts';
import { Charts } from './charts.tsx';
import { ConfirmButton } from './confirm.tsx';
import { act } from './link.ts';
import { Scale } from './scale.tsx';
import { Shape, stateWords } from './shape.tsx';
import { series, serverNow, setUi, store, useTopics, useUi } from './state.ts';

/** What was chosen, beside the rest. */
export function Details() {
  useTopics('pods', 'workloads', 'layout');
  const { selected } = useUi();
  const box = selected.startsWith('box:') ? store.boxes.get(selected.slice(4)) : undefined;
  const view = store.view(selected);
  return (
    <aside class="details" aria-label="Details">
      <button type="button" class="close" aria-label="Close details" onClick={() => setUi({ selected: '' })}>
        ×
      </button>
      {box !== undefined && <NodeDetails box={box} />}
      {view?.kind === 'pod' && <PodDetails pod={view} />}
      {view?.kind === 'workload' && <WorkloadDetails workload={view} />}
      {box === undefined && view === undefined && <p class="empty">It is gone.</p>}
    </aside>
  );
}

function PodDetails({ pod }: { readonly pod: PodView }) {
  const { cluster, id, name, namespace, state, reason, message, ready, total, restarts, node, ip, createdMs, containers } = pod;
  const owner = topOwner(pod);
  return (
    <>
      <p class="kind">Pod</p>
      <h2>{name}</h2>
      <p class={`status big ${state}`}>
        <Shape state={state} size={16} /> {reason}
        {reason !== stateWords[state] && <span class="facts"> {stateWords[state].toLowerCase()}</span>}
      </p>
      {message !== '' && <p class="problem">{message}</p>}
      <div class="actions">
        <button
          type="button"
          class="main"
          onClick={() => setUi({ log: { id, container: containers.find(({ init }) => !init)?.name ?? '' } })}
        >
          Logs
        </button>
        <ConfirmButton
          label={owner === undefined ? 'Delete' : 'Restart'}
          sure={owner === undefined ? 'Really delete it?' : 'Delete; another one comes?'}
          onConfirm={() => act({ action: 'delete', cluster, id })}
        />
      </div>
      <dl>
        <Fact term="Namespace">{namespace}</Fact>
        <Fact term="Node">{node || 'none yet'}</Fact>
        <Fact term="Phase">{pod.phase}</Fact>
        <Fact term="Ready">
          {ready} of {total}
        </Fact>
        <Fact term="Restarts">{restarts}</Fact>
        <Fact term="Address">{ip || '–'}</Fact>
        <Fact term="Age">{formatAge(serverNow() - createdMs)}</Fact>
      </dl>
      {owner !== undefined && (
        <div class="owner">
          <button type="button" class="link" onClick={() => setUi({ selected: owner.id })}>
            {owner.type} <b>{owner.name}</b>
          </button>
          <span class="facts">
            {owner.ready} of {owner.desired} ready
          </span>
          <Scale workload={owner} />
        </div>
      )}
      <Charts line={() => series.pod(cluster, namespace, name)} served={store.stateOf(cluster)?.metrics} />
      <h3>Containers</h3>
      <ul class="containers">
        {containers.map((container) => (
          <li key={container.name}>
            <button type="button" class="link" onClick={() => setUi({ log: { id, container: container.name } })}>
              <b>{container.name}</b>
            </button>
            <span class={container.ready || container.state === 'Completed' ? 'facts' : 'facts bad'}>
              {container.init === true && 'init · '}
              {container.state}
              {container.restarts > 0 && ` · ↻${container.restarts}`}
            </span>
            <code>{container.image}</code>
          </li>
        ))}
      </ul>
    </>
  );
}

/** A Deployment rather than the ReplicaSet that it made. */
function topOwner({ owner }: PodView): WorkloadView | undefined {
  const first = store.workloads.get(owner);
  return first === undefined ? undefined : (store.workloads.get(first.owner) ?? first);
}

function WorkloadDetails({ workload }: { readonly workload: WorkloadView }) {
  const { id, type, name, namespace, desired, ready, updated, message, createdMs } = workload;
  const pods = podsOf(id);
  return (
    <>
      <p class="kind">{type}</p>
      <h2>{name}</h2>
      {message !== '' && <p class="problem">{message}</p>}
      <Scale workload={workload} />
      <dl>
        <Fact term="Namespace">{namespace}</Fact>
        <Fact term="Desired">{desired}</Fact>
        <Fact term="Ready">{ready}</Fact>
        <Fact term="Up to date">{updated}</Fact>
        <Fact term="Age">{formatAge(serverNow() - createdMs)}</Fact>
      </dl>
      <h3>Pods</h3>
      <PodList pods={pods} />
    </>
  );
}

function podsOf(id: string): readonly PodView[] {
  const owners = new Set([id]);
  for (const workload of store.workloads.values()) if (workload.owner === id) owners.add(workload.id);
  return [...store.pods.values()].filter(({ owner }) => owners.has(owner));
}

const PODS_MAX = 60;

function PodList({ pods }: { readonly pods: readonly PodView[] }) {
  return (
    <ul class="pods">
      {pods.slice(0, PODS_MAX).map(({ id, name, state, reason }) => (
        <li key={id}>
          <button type="button" class="link" onClick={() => setUi({ selected: id })}>
            <Shape state={state} /> {name}
          </button>
          <span class="facts">{reason}</span>
        </li>
      ))}
      {pods.length > PODS_MAX && <li class="facts">and {pods.length - PODS_MAX} more</li>}
      {pods.length === 0 && <li class="facts">none</li>}
    </ul>
  );
}

function NodeDetails({ box }: { readonly box: Box }) {
  useTopics(`box:${box.key}`);
  const { node, name, cluster } = box;
  const troubled = [...store.pods.values()].filter(
    (pod) =>
      pod.cluster === cluster && pod.node === name && (pod.state === 'failing' || pod.state === 'failed' || pod.state === 'starting'),
  );
  return (
    <>
      <p class="kind">Node</p>
      <h2>{name}</h2>
      {node === undefined ? (
        <p class="problem">Nodes are not shown here: only what runs on this one.</p>
      ) : (
        <>
          <p class={node.ready ? 'status big running' : 'status big failing'}>
            <Shape state={node.ready ? 'running' : 'failing'} size={16} /> {node.status}
          </p>
          {node.message !== '' && <p class="problem">{node.message}</p>}
          <dl>
            <Fact term="CPU for pods">{formatCpu(node.cpuMilli)}</Fact>
            <Fact term="Memory for pods">{formatBytes(node.memoryBytes)}</Fact>
            <Fact term="Room for pods">{node.pods}</Fact>
            <Fact term="Address">{node.address || '–'}</Fact>
            <Fact term="Version">{node.version || '–'}</Fact>
            <Fact term="Age">{formatAge(serverNow() - node.createdMs)}</Fact>
          </dl>
        </>
      )}
      <Charts line={() => series.node(cluster, name)} served={store.stateOf(cluster)?.metrics} />
      <h3>Pods that need a look</h3>
      <PodList pods={troubled} />
    </>
  );
}

function Fact({ term, children }: { readonly term: string; readonly children: ComponentChildren }) {
  return (
    <div>
      <dt>{term}</dt>
      <dd>{children}</dd>
    </div>
  );
}
