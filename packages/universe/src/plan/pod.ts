import type { Container, EnvVar, PodSpec, PodTemplateSpec, Volume, VolumeMount } from '@orrery/api/core/v1';
import type { Settings } from '../options/settings.ts';
import { labelsOf, podSelectorOf, type Run, runName } from './labels.ts';
import { bootstrapFile, podPaths } from './paths.ts';
import { isStreamed, type Payload } from './payload.ts';

/** `restricted` keeps to the Pod Security Standard of that name; `plain` says nothing, for nodes that can change no user. */
export type SecurityProfile = 'restricted' | 'plain';

export interface PodPlanOptions {
  readonly run: Run;
  readonly settings: Settings;
  readonly payload: Payload;
  readonly image: string;
  readonly security: SecurityProfile;
  /** Names of the ConfigMaps that hold the code. */
  readonly codeNames: readonly string[];
  /** Keys of the ConfigMap with the user's files, and where each is to appear below the code's folder. */
  readonly configFiles: readonly { readonly key: string; readonly path: string }[];
}

/** User `node` of the official images. */
const USER = 1000;
const PRIVILEGED_PORTS_BELOW = 1024;

/** The pods of the program. */
export function planPod(options: PodPlanOptions): PodTemplateSpec {
  const { run, settings, payload, security } = options;
  const low = settings.ports.some(({ port }) => port < PRIVILEGED_PORTS_BELOW);
  const spec: PodSpec = {
    ...(settings.job ? { restartPolicy: 'Never' } : {}),
    enableServiceLinks: false,
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 10,
    ...(payload.platform === undefined
      ? {}
      : { nodeSelector: { 'kubernetes.io/os': payload.platform.os, 'kubernetes.io/arch': payload.platform.arch } }),
    ...(security === 'plain' ? {} : { securityContext: podSecurity(low) }),
    ...(isStreamed(payload) ? { initContainers: [receiver(options)] } : {}),
    containers: [program(options)],
    volumes: volumes(options),
  };
  return { metadata: { labels: { ...labelsOf(run), ...podSelectorOf(run) } }, spec };
}

const podSecurity = (lowPorts: boolean): NonNullable<PodSpec['securityContext']> => ({
  runAsNonRoot: true,
  runAsUser: USER,
  runAsGroup: USER,
  fsGroup: USER,
  seccompProfile: { type: 'RuntimeDefault' },
  // A safe sysctl, which every profile allows: an ordinary user may listen on low ports.
  ...(lowPorts ? { sysctls: [{ name: 'net.ipv4.ip_unprivileged_port_start', value: '0' }] } : {}),
});

const containerSecurity = (security: SecurityProfile): Pick<Container, 'securityContext'> =>
  security === 'plain' ? {} : { securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } } };

function commandOf({ starter }: Payload): string[] {
  const file = `${podPaths.code}/${bootstrapFile[starter]}`;
  return starter === 'node' ? ['node', file] : ['/bin/sh', file];
}

function program({ run, settings, payload, image, security, configFiles }: PodPlanOptions): Container {
  const { ports, cpu, memory } = settings;
  const amounts = { ...(cpu === undefined ? {} : { cpu }), ...(memory === undefined ? {} : { memory }) };
  const [first] = ports;
  return {
    name: 'program',
    image,
    command: commandOf(payload),
    args: [...settings.args],
    env: environment({ run, settings, payload, configFiles }),
    ...(Object.keys(settings.secrets).length === 0 ? {} : { envFrom: [{ secretRef: { name: `${runName(run)}-env` } }] }),
    ...(ports.length === 0 ? {} : { ports: ports.map(({ port }) => ({ name: `p${port}`, containerPort: port })) }),
    ...(cpu === undefined && memory === undefined ? {} : { resources: { requests: amounts, limits: amounts } }),
    ...(first === undefined || settings.job
      ? {}
      : { readinessProbe: { tcpSocket: { port: first.port }, periodSeconds: 1, timeoutSeconds: 2, failureThreshold: 3 } }),
    ...containerSecurity(security),
    volumeMounts: mounts({ settings, payload, configFiles }),
  };
}

/** Waits until the launcher has streamed the code in. */
function receiver({ payload, image, security }: PodPlanOptions): Container {
  return {
    name: 'code',
    image,
    command: [...commandOf(payload), '--universe-receive'],
    env: [{ name: 'UNIVERSE_CODE', value: payload.hash }],
    ...containerSecurity(security),
    volumeMounts: [
      { name: 'code', mountPath: podPaths.code, readOnly: true },
      { name: 'stream', mountPath: podPaths.stream },
    ],
  };
}

type Parts = Pick<PodPlanOptions, 'settings' | 'payload' | 'configFiles'>;

function environment({ run, settings, payload, configFiles }: Parts & Pick<PodPlanOptions, 'run'>): EnvVar[] {
  const [first] = settings.ports;
  const own: Record<string, string> = {
    UNIVERSE_RUN: run.id,
    UNIVERSE_CODE: payload.hash,
    UNIVERSE_ENTRY: payload.entry,
    ...(payload.interpreter === undefined ? {} : { UNIVERSE_INTERPRETER: payload.interpreter }),
    ...(settings.watch ? { UNIVERSE_WATCHED: '1' } : {}),
    ...(settings.inspect === undefined ? {} : { UNIVERSE_INSPECT_PORT: String(settings.inspect) }),
    ...(settings.tls === undefined ? {} : { UNIVERSE_TLS_CERT: `${podPaths.tls}/tls.crt`, UNIVERSE_TLS_KEY: `${podPaths.tls}/tls.key` }),
    ...(configFiles.length === 0 ? {} : { UNIVERSE_CONFIG: configFiles.map(({ key, path }) => `${key}=${path}`).join('\n') }),
    ...(first === undefined ? {} : { PORT: String(first.port) }),
  };
  const said: EnvVar[] = Object.entries({ ...own, ...settings.env })
    .filter(([name]) => !Object.hasOwn(settings.secrets, name))
    // `$(NAME)` stands for itself: Kubernetes would put another variable's value there.
    .map(([name, value]) => ({ name, value: value.replaceAll('$(', '$$$$(') }));
  const field = (name: string, fieldPath: string): EnvVar => ({ name, valueFrom: { fieldRef: { fieldPath } } });
  return [...said, field('POD_NAME', 'metadata.name'), field('POD_NAMESPACE', 'metadata.namespace')];
}

function mounts({ settings, payload, configFiles }: Parts): VolumeMount[] {
  return [
    { name: 'code', mountPath: podPaths.code, readOnly: true },
    { name: 'app', mountPath: podPaths.app },
    ...(isStreamed(payload) || settings.watch ? [{ name: 'stream', mountPath: podPaths.stream }] : []),
    ...(settings.tls === undefined ? [] : [{ name: 'tls', mountPath: podPaths.tls, readOnly: true }]),
    ...(configFiles.length === 0 ? [] : [{ name: 'config', mountPath: podPaths.config, readOnly: true }]),
  ];
}

function volumes({ run, settings, payload, codeNames, configFiles }: PodPlanOptions): Volume[] {
  const name = runName(run);
  return [
    { name: 'code', projected: { sources: codeNames.map((codeName) => ({ configMap: { name: codeName } })) } },
    { name: 'app', emptyDir: {} },
    ...(isStreamed(payload) || settings.watch ? [{ name: 'stream', emptyDir: {} }] : []),
    ...(settings.tls === undefined ? [] : [{ name: 'tls', secret: { secretName: `${name}-tls`, defaultMode: 0o440 } }]),
    ...(configFiles.length === 0 ? [] : [{ name: 'config', configMap: { name: `${name}-config` } }]),
  ];
}
