import { formatCount } from '../src/model/format.ts';
import type { Box } from '../src/model/page-store.ts';
import { ConfirmButton } from './confirm.tsx';
import { act } from './link.ts';
import { NodeBox } from './node-box.tsx';
import { store, useTopics, useUi } from './state.ts';
import { Tray } from './tray.tsx';

/** Every cluster with its nodes. */
export function Overview() {
  useTopics('clusters');
  const { filter } = useUi();
  return (
    <>
      {store.clusters.map(({ name }, index) =>
        filter.cluster === undefined || filter.cluster === index ? <ClusterSection key={name} index={index} /> : null,
      )}
    </>
  );
}

function ClusterSection({ index }: { readonly index: number }) {
  useTopics('clusters', 'layout');
  const boxes = boxesOf(index);
  return (
    <section class="cluster" aria-labelledby={`cluster-${index}`}>
      <ClusterTitle index={index} nodes={boxes.length} />
      <Tray cluster={index} />
      {store.whole && boxes.length === 0 && <p class="empty">No nodes yet.</p>}
      <div class={boxes.length > 12 ? 'boxes many' : 'boxes'}>
        {boxes.map((box) => (
          <NodeBox key={box.key} box={box} />
        ))}
      </div>
    </section>
  );
}

const naturally = new Intl.Collator('en', { numeric: true });

function boxesOf(cluster: number): readonly Box[] {
  return [...store.boxes.values()].filter((box) => box.cluster === cluster).sort((a, b) => naturally.compare(a.name, b.name));
}

function ClusterTitle({ index, nodes }: { readonly index: number; readonly nodes: number }) {
  const cluster = store.clusters[index];
  const state = store.stateOf(index);
  if (cluster === undefined) return null;
  const reachable = state?.reachable !== false;
  return (
    <div class="cluster-title">
      <h2 id={`cluster-${index}`}>
        <span class={`light ${reachable ? '' : 'bad'}`} />
        {cluster.name}
      </h2>
      <span class="facts">
        {reachable ? state?.version : 'does not answer; trying again'}
        {` · ${formatCount(nodes)} ${nodes === 1 ? 'node' : 'nodes'}`}
        {cluster.namespace !== '' && ` · namespace ${cluster.namespace}`}
        {state?.metrics === 'absent' && ' · no CPU and memory: metrics.k8s.io is not served here'}
      </span>
      {cluster.stoppable && (
        <ConfirmButton label="Stop" sure="Really stop all of it?" onConfirm={() => act({ action: 'stop', cluster: index })} />
      )}
      {(state?.problems ?? []).map((problem) => (
        <p key={problem} class="problem">
          {problem}
        </p>
      ))}
    </div>
  );
}
