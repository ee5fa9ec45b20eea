import type { Container, EphemeralContainer, Pod, PodSpec, PodTemplateSpec, Probe } from '@orrery/api/core/v1';
import type { Draft } from '@orrery/apimachinery';
import { ensure, fill, fillZero } from '../../defaulting.ts';
import { imagePullPolicyOf } from './image.ts';
import { defaultPodLevelRequests } from './pod-level-resources.ts';
import { defaultVolume } from './volume-defaults.ts';

type AnyContainer = Draft<Container> | Draft<EphemeralContainer>;

/** Defaults of the pods and of every pod template. Source: `SetDefaults_PodSpec` and what it reaches. Idempotent. */
export function defaultPodSpec(spec: Draft<PodSpec>): void {
  fill(spec, 'dnsPolicy', 'ClusterFirst');
  fill(spec, 'restartPolicy', 'Always');
  fill(spec, 'securityContext', {});
  fill(spec, 'terminationGracePeriodSeconds', 30);
  fill(spec, 'schedulerName', 'default-scheduler');
  mirrorServiceAccount(spec);
  for (const volume of spec.volumes ?? []) defaultVolume(volume);
  for (const container of spec.initContainers ?? []) defaultContainer(container);
  for (const container of spec.containers ?? []) defaultContainer(container);
  for (const container of spec.ephemeralContainers ?? []) defaultContainer(container);
  dropFalse(spec, ['hostNetwork', 'hostPID', 'hostIPC']);
}

/** `serviceAccount` is the old name of `serviceAccountName`; the API shows both. */
function mirrorServiceAccount(spec: Draft<PodSpec>): void {
  const name = spec.serviceAccountName === undefined || spec.serviceAccountName === '' ? spec.serviceAccount : spec.serviceAccountName;
  if (name === undefined || name === '') return;
  spec.serviceAccountName = name;
  spec.serviceAccount = name;
}

function dropFalse(spec: Draft<PodSpec>, fields: readonly ('hostNetwork' | 'hostPID' | 'hostIPC')[]): void {
  for (const field of fields) if (spec[field] === false) delete spec[field];
}

function defaultContainer(container: AnyContainer): void {
  fill(container, 'imagePullPolicy', imagePullPolicyOf(container.image ?? ''));
  fill(container, 'terminationMessagePath', '/dev/termination-log');
  fill(container, 'terminationMessagePolicy', 'File');
  ensure(container, 'resources');
  for (const port of container.ports ?? []) fill(port, 'protocol', 'TCP');
  for (const { valueFrom } of container.env ?? []) {
    if (valueFrom?.fieldRef !== undefined) fill(valueFrom.fieldRef, 'apiVersion', 'v1');
    if (valueFrom?.fileKeyRef !== undefined) fill(valueFrom.fileKeyRef, 'optional', false);
  }
  for (const probe of [container.livenessProbe, container.readinessProbe, container.startupProbe]) if (probe) defaultProbe(probe);
  for (const hook of [container.lifecycle?.postStart, container.lifecycle?.preStop]) if (hook?.httpGet) defaultHttpGet(hook.httpGet);
}

function defaultProbe(probe: Draft<Probe>): void {
  fillZero(probe, 'timeoutSeconds', 1);
  fillZero(probe, 'periodSeconds', 10);
  fillZero(probe, 'successThreshold', 1);
  fillZero(probe, 'failureThreshold', 3);
  if (probe.httpGet !== undefined) defaultHttpGet(probe.httpGet);
  if (probe.grpc !== undefined) probe.grpc.service ??= '';
}

function defaultHttpGet(action: { path?: string; scheme?: string }): void {
  fill(action, 'path', '/');
  fill(action, 'scheme', 'HTTP');
}

/** Defaults of a template: its own pod spec, none of what only pods get. */
export function defaultPodTemplate(template: Draft<PodTemplateSpec>): void {
  defaultPodSpec(ensure(template, 'spec'));
  ensure(template, 'metadata');
}

/** Defaults of pods: those of the spec, and what upstream sets on pods alone (`SetDefaults_Pod`). Idempotent. */
export function defaultPod(pod: Draft<Pod>): void {
  const spec = ensure(pod, 'spec');
  defaultPodSpec(spec);
  const containers = [...(spec.containers ?? []), ...(spec.initContainers ?? [])];
  for (const { resources } of containers) {
    if (resources?.limits !== undefined) resources.requests = { ...resources.limits, ...resources.requests };
  }
  defaultPodLevelRequests(spec);
  fill(spec, 'enableServiceLinks', true);
  if (spec.hostNetwork === true) {
    for (const { ports } of containers) for (const port of ports ?? []) fillZero(port, 'hostPort', port.containerPort);
  }
}
