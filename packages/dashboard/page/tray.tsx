import { newPodMatcher } from '../src/model/filter.ts';
import { formatCount } from '../src/model/format.ts';
import type { PodView } from '../src/protocol.ts';
import { Shape } from './shape.tsx';
import { setUi, store, useTopics, useUi } from './state.ts';

const GROUPS_MAX = 6;
const PODS_MAX = 12;

/** Pods that no node has taken yet, by the reason that the scheduler gives. */
export function Tray({ cluster }: { readonly cluster: number }) {
  useTopics('pods');
  const { filter } = useUi();
  const groups = groupsOf(cluster, newPodMatcher(filter));
  if (groups.length === 0) return null;
  const all = groups.reduce((sum, [, pods]) => sum + pods.length, 0);
  return (
    <fieldset class="tray" aria-label="Pods that wait for a node">
      <h3>
        <Shape state="pending" /> {formatCount(all)} {all === 1 ? 'pod waits' : 'pods wait'} for a node
      </h3>
      {groups.slice(0, GROUPS_MAX).map(([reason, pods]) => (
        <div key={reason} class="tray-group">
          <p>
            <b>{formatCount(pods.length)}</b> {reason}
          </p>
          <div class="tray-pods">
            {pods.slice(0, PODS_MAX).map(({ id, name }) => (
              <button key={id} type="button" class="tray-pod" onClick={() => setUi({ selected: id })}>
                <Shape state="pending" size={10} />
                {name}
              </button>
            ))}
            {pods.length > PODS_MAX && <span class="more">and {formatCount(pods.length - PODS_MAX)} more</span>}
          </div>
        </div>
      ))}
      {groups.length > GROUPS_MAX && <p class="more">and {groups.length - GROUPS_MAX} more reasons</p>}
    </fieldset>
  );
}

function groupsOf(cluster: number, matches: (pod: PodView) => boolean): (readonly [string, PodView[]])[] {
  const groups = new Map<string, PodView[]>();
  for (const id of store.unplaced) {
    const pod = store.pods.get(id);
    if (pod === undefined || pod.cluster !== cluster || !matches(pod)) continue;
    const reason =
      pod.message || (pod.reason === 'SchedulingGated' ? 'held back by a scheduling gate' : 'not looked at by a scheduler yet');
    const group = groups.get(reason);
    if (group === undefined) groups.set(reason, [pod]);
    else group.push(pod);
  }
  return [...groups].sort(([, a], [, b]) => b.length - a.length);
}
