import type { Pod, Toleration } from '@orrery/api/core/v1';
import type { Draft } from '@orrery/apimachinery';
import type { AdmissionPlugin } from '@orrery/apiserver';
import { isFor } from '../refusal.ts';

/** How long a pod stays bound to a node that has gone quiet. */
const TOLERATION_SECONDS = 300;
const taints = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'];

/** Pods outlive a short absence of their node, unless they say for how long. */
export const defaultTolerationSeconds: AdmissionPlugin = {
  name: 'DefaultTolerationSeconds',
  admit(draft, attributes) {
    if (draft === undefined || !isFor(attributes, 'pods')) return;
    if (attributes.operation !== 'CREATE' && attributes.operation !== 'UPDATE') return;
    const { spec } = draft as Draft<Pod>;
    const present = spec.tolerations ?? [];
    const missing = taints.filter((key) => !present.some((toleration) => tolerates(toleration, key)));
    if (missing.length === 0) return;
    const added = missing.map((key) => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: TOLERATION_SECONDS }));
    spec.tolerations = [...present, ...added];
  },
};

const tolerates = ({ key = '', effect = '' }: Toleration | Draft<Toleration>, taint: string): boolean =>
  (key === taint || key === '') && (effect === 'NoExecute' || effect === '');
