import { configMaps, deployments, ingresses, jobs, secrets, services } from '@orrery/api';
import type { Deployment } from '@orrery/api/apps/v1';
import type { HorizontalPodAutoscaler } from '@orrery/api/autoscaling/v2';
import type { Job } from '@orrery/api/batch/v1';
import type { ConfigMap, Service } from '@orrery/api/core/v1';
import type { Ingress } from '@orrery/api/networking/v1';
import { apiVersionOf, type KubeObject, type NewObject, type Resource } from '@orrery/apimachinery';
import type { Settings } from '../options/settings.ts';
import { labelsOf, podSelectorOf, type Run, runName } from './labels.ts';
import { bootstrapFile, partKey } from './paths.ts';
import { isStreamed, type Payload, partsOf } from './payload.ts';
import { planPod, type SecurityProfile } from './pod.ts';
import { planRoot } from './root.ts';

const autoscalers: Resource<HorizontalPodAutoscaler> = {
  group: 'autoscaling',
  version: 'v2',
  kind: 'HorizontalPodAutoscaler',
  resource: 'horizontalpodautoscalers',
  namespaced: true,
};

/** A file that the user gave, read. */
export interface ConfigFile {
  /** Where the program finds it, relative to its folder. */
  readonly path: string;
  readonly content: Uint8Array;
}

export interface PlanOptions {
  readonly run: Run;
  readonly settings: Settings;
  /** Of this cluster: `settings.replicas` is of all together. */
  readonly replicas: number;
  readonly payload: Payload;
  /** Text of the program that unpacks and starts the code in the pod. */
  readonly bootstrap: string;
  readonly image: string;
  readonly security: SecurityProfile;
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  readonly configFiles: readonly ConfigFile[];
  readonly startedBy: string;
  readonly command: string;
}

export interface PlannedObject {
  readonly resource: Resource;
  readonly object: NewObject<KubeObject>;
}

/** All that a run creates in one cluster: the root, then what belongs to it, in an order in which it can be created. */
export interface Plan {
  readonly run: Run;
  readonly root: NewObject<Job>;
  readonly objects: readonly PlannedObject[];
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');

/** Decides everything, touches nothing. */
export function planRun(options: PlanOptions): Plan {
  const { run, settings, payload, image, startedBy, command } = options;
  const code = codeMaps(options);
  const configFiles = options.configFiles.map(({ path }, index) => ({ key: configKey(path, index), path }));
  const template = planPod({
    run,
    settings,
    payload,
    image,
    security: options.security,
    codeNames: code.map(({ metadata: { name = '' } }) => name),
    configFiles,
  });
  const leased = !settings.detach && !settings.keep;
  const objects: PlannedObject[] = [
    ...code.map((object) => ({ resource: configMaps as Resource, object: object as NewObject<KubeObject> })),
    ...data(options),
    ...(settings.ports.length === 0 || settings.job ? [] : [planned(services, service(options))]),
    settings.job ? planned(jobs, programJob(options, template)) : planned(deployments, deployment(options, template)),
    ...(settings.expose === 'Ingress' ? [planned(ingresses, ingress(options))] : []),
    ...(settings.autoscale === undefined ? [] : [planned(autoscalers, autoscaler(run, settings.autoscale))]),
  ];
  return { run, root: planRoot(run, { image, code: payload.hash, startedBy, command, leased }), objects };
}

const planned = <T extends KubeObject>(resource: Resource<T>, object: NewObject<T>): PlannedObject => ({
  resource: resource as Resource,
  object: object as unknown as NewObject<KubeObject>,
});

/** With `apiVersion` and `kind`, as a manifest has them. */
export const manifestOf = ({ resource, object }: PlannedObject): object => ({
  apiVersion: apiVersionOf(resource),
  kind: resource.kind,
  ...object,
});

export const rootOf = ({ root }: Plan): PlannedObject => planned(jobs, root);

const metadataOf = (run: Run, suffix = ''): NewObject<KubeObject>['metadata'] => ({
  name: `${runName(run)}${suffix}`,
  namespace: run.namespace,
  labels: labelsOf(run),
});

function codeMaps({ run, payload, bootstrap }: PlanOptions): NewObject<ConfigMap>[] {
  const { starter, hash, packed } = payload;
  const start = { [bootstrapFile[starter]]: bootstrap };
  const named = (index: number): NewObject<ConfigMap>['metadata'] => metadataOf(run, `-code-${hash.slice(0, 8)}-${index}`);
  if (isStreamed(payload)) return [{ metadata: named(0), immutable: true, data: start }];
  return partsOf(packed).map((part, index) => ({
    metadata: named(index),
    immutable: true,
    ...(index === 0 ? { data: start } : {}),
    binaryData: { [partKey(index)]: base64(part) },
  }));
}

const configKey = (path: string, index: number): string => `${index}-${path.replace(/[^-._a-zA-Z0-9]/g, '_')}`.slice(-200);

function data({ run, settings, tls, configFiles }: PlanOptions): PlannedObject[] {
  const variables = Object.entries(settings.secrets);
  const binaryData = Object.fromEntries(configFiles.map(({ path, content }, index) => [configKey(path, index), base64(content)]));
  return [
    ...(variables.length === 0
      ? []
      : [planned(secrets, { metadata: metadataOf(run, '-env'), type: 'Opaque', stringData: Object.fromEntries(variables) })]),
    ...(tls === undefined
      ? []
      : [
          planned(secrets, {
            metadata: metadataOf(run, '-tls'),
            type: 'kubernetes.io/tls',
            stringData: { 'tls.crt': tls.cert, 'tls.key': tls.key },
          }),
        ]),
    ...(configFiles.length === 0 ? [] : [planned(configMaps, { metadata: metadataOf(run, '-config'), binaryData })]),
  ];
}

function deployment({ run, settings, replicas }: PlanOptions, template: Deployment['spec']['template']): NewObject<Deployment> {
  return {
    metadata: metadataOf(run),
    spec: {
      ...(settings.autoscale === undefined ? { replicas } : {}),
      selector: { matchLabels: podSelectorOf(run) },
      revisionHistoryLimit: 2,
      template,
    },
  };
}

function programJob({ run, replicas }: PlanOptions, template: Job['spec']['template']): NewObject<Job> {
  return {
    metadata: metadataOf(run, '-program'),
    spec: { parallelism: replicas, completions: replicas, backoffLimit: 0, template },
  };
}

function service({ run, settings }: PlanOptions): NewObject<Service> {
  const type = settings.expose === 'Ingress' ? 'ClusterIP' : settings.expose;
  return {
    metadata: metadataOf(run),
    spec: { type, selector: podSelectorOf(run), ports: settings.ports.map(({ port }) => ({ name: `p${port}`, port, targetPort: port })) },
  };
}

function ingress({ run, settings }: PlanOptions): NewObject<Ingress> {
  const { host, tls, ports } = settings;
  const backend = { service: { name: runName(run), port: { number: ports[0]?.port ?? 80 } } };
  return {
    metadata: metadataOf(run),
    spec: {
      ...(tls === undefined ? {} : { tls: [{ secretName: `${runName(run)}-tls`, ...(host === undefined ? {} : { hosts: [host] }) }] }),
      rules: [{ ...(host === undefined ? {} : { host }), http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }],
    },
  };
}

function autoscaler(run: Run, { min, max, cpuPercent }: NonNullable<Settings['autoscale']>): NewObject<HorizontalPodAutoscaler> {
  return {
    metadata: metadataOf(run),
    spec: {
      minReplicas: min,
      maxReplicas: max,
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: runName(run) },
      metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: cpuPercent } } }],
    },
  };
}
