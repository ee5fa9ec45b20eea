import { type ContainerConfig, type PodSandboxConfig, RuntimeError } from '@orrery/cri';
import type { HostAbilities } from './host.ts';

const INSTALL = 'install crun or runc for real containers';
const refuse = (what: string, remedy: string): never => {
  throw new RuntimeError('UNIMPLEMENTED', `the process driver cannot ${what}: ${remedy}`);
};

/** Throws `UNIMPLEMENTED` for what plain processes cannot give a pod. What is a mere limit (cpu, memory) is not refused: the node says once that it is not enforced. */
export function checkSandbox(config: PodSandboxConfig): void {
  const { sysctls = {}, securityContext } = config.linux ?? {};
  if (Object.keys(sysctls).length > 0) refuse('set sysctls for one pod', INSTALL);
  if (securityContext?.namespaceOptions?.usernsOptions?.mode === 'POD') refuse('give a pod its own users (hostUsers: false)', INSTALL);
  const hostPort = config.portMappings?.find(
    (mapping) => (mapping.hostPort ?? 0) !== 0 && securityContext?.namespaceOptions?.network !== 'NODE',
  );
  if (hostPort !== undefined && hostPort.hostPort !== hostPort.containerPort) {
    refuse(`map host port ${hostPort.hostPort} to container port ${hostPort.containerPort}`, `use the same number for both, or ${INSTALL}`);
  }
}

export function checkContainer(config: ContainerConfig, host: HostAbilities): void {
  const security = config.linux?.securityContext ?? {};
  if (config.tty === true && !host.terminals)
    refuse('give a container a terminal here', 'install util-linux (script, stty) and findutils (xargs)');
  if ((config.devices ?? []).length > 0) refuse('add devices to a container', INSTALL);
  if (security.privileged === true && !host.root) refuse('run a privileged container without root', 'run Orrery as root');
  checkUser(config, host);
  const { addCapabilities = [], dropCapabilities = [] } = security.capabilities ?? {};
  if (addCapabilities.length > 0 && !host.root)
    refuse(`add capabilities (${addCapabilities.join(', ')}) without root`, 'run Orrery as root');
  if ((dropCapabilities.length > 0 || security.noNewPrivs === true) && host.root && !host.setpriv)
    refuse('take privileges away here', 'install util-linux (setpriv)');
  if (security.readonlyRootfs === true && host.isolation === 'none')
    refuse('make the root file system read-only here', `allow user namespaces, or ${INSTALL}`);
  if (security.seccomp?.profileType === 'Localhost') refuse('apply a seccomp profile', INSTALL);
}

function checkUser({ linux }: ContainerConfig, { root, setpriv }: HostAbilities): void {
  const { runAsUser, runAsUsername } = linux?.securityContext ?? {};
  const wanted = runAsUser?.value;
  if (runAsUsername !== undefined && runAsUsername !== '')
    refuse(`look up the user "${runAsUsername}" of an image`, 'set securityContext.runAsUser to a number');
  if (wanted === undefined) return;
  if (!root && wanted !== process.getuid?.())
    refuse(
      `run a container as user ${wanted}`,
      `run Orrery as root, or leave runAsUser out (this process is user ${process.getuid?.() ?? 'unknown'})`,
    );
  if (root && !setpriv) refuse(`run a container as user ${wanted} here`, 'install util-linux (setpriv)');
}
