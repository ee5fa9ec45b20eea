import type { NamespaceOption } from '@orrery/cri';
import type { OciNamespace } from './oci.ts';

/** What a sandbox lends to its containers; what is absent is the host's. */
export interface SandboxNamespaces {
  readonly network?: string;
  readonly ipc?: string;
  /** Only when the pod's containers share their processes. */
  readonly pid?: string;
  readonly user?: string;
}

export interface NamespaceInput {
  readonly options: NamespaceOption;
  readonly sandbox: SandboxNamespaces;
  /** The pid namespace of the container that `targetId` names. */
  readonly targetPid?: string | undefined;
  readonly privileged: boolean;
  readonly cgroupVersion: 1 | 2;
}

const at = (type: OciNamespace['type'], path: string | undefined): readonly OciNamespace[] => (path === undefined ? [] : [{ type, path }]);

/**
 * The namespaces of one container. Host name and domain are its own, set to the pod's: nobody but a process with CAP_SYS_ADMIN can tell
 * that containers of a pod do not share them. A pod on the host's network has the host's names, too (as upstream's kubelet asks).
 */
export function containerNamespaces({ options, sandbox, targetPid, privileged, cgroupVersion }: NamespaceInput): readonly OciNamespace[] {
  const onHost = (mode: NamespaceOption['pid']): boolean => mode === 'NODE';
  const { pid, network, ipc } = options;
  return [
    { type: 'mount' },
    ...(onHost(pid)
      ? []
      : pid === 'TARGET'
        ? at('pid', targetPid)
        : pid === 'POD' && sandbox.pid !== undefined
          ? at('pid', sandbox.pid)
          : own('pid')),
    ...(onHost(network) ? [] : [...at('network', sandbox.network), ...own('uts')]),
    ...(onHost(ipc) ? [] : at('ipc', sandbox.ipc)),
    ...at('user', sandbox.user),
    ...(cgroupVersion === 2 && !privileged ? own('cgroup') : []),
  ];
}

const own = (type: OciNamespace['type']): readonly OciNamespace[] => [{ type }];
