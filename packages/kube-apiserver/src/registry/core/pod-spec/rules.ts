import type { PodSpec, Volume } from '@orrery/api/core/v1';
import type { ObjectMeta } from '@orrery/apimachinery';

/** What the rules of one pod spec may depend on. */
export interface PodRules {
  /** False for the template of a workload, which may leave some things to the pod. */
  readonly isPod: boolean;
  readonly spec: PodSpec;
  /** The pod's own metadata; absent for templates. */
  readonly metadata?: ObjectMeta | undefined;
  /** Volumes that are valid, by name: what mounts may refer to. */
  readonly volumes: ReadonlyMap<string, Volume>;
  readonly claims: ReadonlySet<string>;
  /** False while the pod has a user namespace of its own. */
  readonly hostUsers: boolean;
}
