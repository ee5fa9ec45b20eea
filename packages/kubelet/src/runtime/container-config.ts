import type { Container, Pod } from '@orrery/api/core/v1';
import type { ContainerConfig, Mount, Signal, UserNamespace } from '@orrery/cri';
import { expand } from '../env/expansion.ts';
import type { EnvVariable } from '../env/services.ts';
import { containerHash } from '../pod/container-spec.ts';
import * as names from '../pod/labels.ts';
import type { PresentImage } from './images.ts';
import { linuxResources, type ResourceFacts } from './linux-resources.ts';
import { containerSecurity } from './security-context.ts';

export interface ContainerConfigInput {
  readonly pod: Pod;
  readonly container: Container;
  readonly restartCount: number;
  readonly image: PresentImage;
  readonly environment: readonly EnvVariable[];
  readonly mounts: readonly Mount[];
  /** Ids of the pod's own. */
  readonly users?: UserNamespace | undefined;
  /** Container whose process namespace is joined. */
  readonly targetId?: string | undefined;
  readonly facts: ResourceFacts;
}

function annotations(pod: Pod, container: Container, restartCount: number): Record<string, string> {
  const { terminationGracePeriodSeconds } = pod.spec;
  const { deletionGracePeriodSeconds } = pod.metadata;
  const preStop = container.lifecycle?.preStop;
  return {
    [names.containerHashAnnotation]: containerHash(container),
    [names.restartCountAnnotation]: String(restartCount),
    [names.terminationMessagePathAnnotation]: container.terminationMessagePath ?? '',
    [names.terminationMessagePolicyAnnotation]: container.terminationMessagePolicy ?? 'File',
    ...(terminationGracePeriodSeconds === undefined
      ? {}
      : { [names.terminationGracePeriodAnnotation]: String(terminationGracePeriodSeconds) }),
    ...(deletionGracePeriodSeconds === undefined ? {} : { [names.deletionGracePeriodAnnotation]: String(deletionGracePeriodSeconds) }),
    ...(preStop === undefined ? {} : { [names.preStopHandlerAnnotation]: JSON.stringify(preStop) }),
    ...(container.ports === undefined ? {} : { [names.portsAnnotation]: JSON.stringify(container.ports) }),
  };
}

/** Where a run's log lies below the pod's log directory. */
export const logPath = (container: string, restartCount: number): string => `${container}/${restartCount}.log`;

/** Source: kuberuntime generateContainerConfig. */
export function containerConfig(input: ContainerConfigInput): ContainerConfig {
  const { pod, container, restartCount, image, environment, mounts, targetId, users, facts } = input;
  const values = new Map(environment.map(({ name, value }) => [name, value]));
  const expanded = (texts: readonly string[] | undefined): readonly string[] =>
    (texts ?? []).map((text) => expand(text, (name) => values.get(name)));
  const { name, namespace = '', uid } = pod.metadata;
  return {
    metadata: { name: container.name, attempt: restartCount },
    image: image.spec,
    command: expanded(container.command),
    args: expanded(container.args),
    workingDir: container.workingDir ?? '',
    envs: environment.map((variable) => ({ key: variable.name, value: Buffer.from(variable.value) })),
    mounts,
    labels: {
      [names.containerNameLabel]: container.name,
      [names.podNameLabel]: name,
      [names.podNamespaceLabel]: namespace,
      [names.podUidLabel]: uid,
    },
    annotations: annotations(pod, container, restartCount),
    logPath: logPath(container.name, restartCount),
    stdin: container.stdin === true,
    stdinOnce: container.stdinOnce === true,
    tty: container.tty === true,
    linux: {
      resources: linuxResources(pod, container, facts),
      securityContext: containerSecurity(pod, container, image, users, targetId),
    },
    // Values of the API's and of CRI's signals are the same names.
    ...(container.lifecycle?.stopSignal === undefined ? {} : { stopSignal: container.lifecycle.stopSignal as Signal }),
  };
}
