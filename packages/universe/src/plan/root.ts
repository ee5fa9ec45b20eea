import type { Job } from '@orrery/api/batch/v1';
import type { NewObject } from '@orrery/apimachinery';
import { codeAnnotation, commandAnnotation, labelsOf, type Run, runName, startedByAnnotation } from './labels.ts';

/** The run lives this long after its launcher's last sign of life. Four beats fit in, and the garbage collector's work into 30 s. */
export const LEASE_SECONDS = 20;

export interface RootOptions {
  readonly image: string;
  readonly code: string;
  readonly startedBy: string;
  readonly command: string;
  /** False for what outlives its launcher: it stays until it is stopped. */
  readonly leased: boolean;
}

/**
 * What everything else of the run belongs to, by owner references. A Job that never has a pod (parallelism 0), so it needs neither room nor
 * an image nor a node: only its deadline counts. The launcher moves the deadline on while it lives; when it passes, the Job controller
 * fails the Job, `ttlSecondsAfterFinished: 0` deletes it, and the garbage collector takes all that it owns. Plain Kubernetes does all of it.
 */
export function planRoot(run: Run, { image, code, startedBy, command, leased }: RootOptions): NewObject<Job> {
  return {
    metadata: {
      name: runName(run),
      namespace: run.namespace,
      labels: { ...labelsOf(run), 'app.kubernetes.io/component': 'root' },
      annotations: { [codeAnnotation]: code, [startedByAnnotation]: startedBy, [commandAnnotation]: command },
    },
    spec: {
      parallelism: 0,
      completions: 1,
      backoffLimit: 0,
      ttlSecondsAfterFinished: 0,
      ...(leased ? { activeDeadlineSeconds: LEASE_SECONDS } : {}),
      template: {
        metadata: { labels: labelsOf(run) },
        spec: {
          restartPolicy: 'Never',
          automountServiceAccountToken: false,
          securityContext: { runAsNonRoot: true, runAsUser: 65534, seccompProfile: { type: 'RuntimeDefault' } },
          containers: [{ name: 'root', image, securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } } }],
        },
      },
    },
  };
}
