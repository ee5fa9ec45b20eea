import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { isRuntimeError } from '@orrery/cri';
import { CliError } from '../../cli/command.ts';
import type { RuntimeDriver } from './driver.ts';

const run = promisify(execFile);

/** Containers of a CRI runtime that runs here already, as containerd: it also makes the pods' network, by its own CNI configuration. */
export const remoteDriver: RuntimeDriver = {
  name: 'remote',
  async problem({ wanted = '' }) {
    if (process.getuid?.() !== 0) return 'a CRI runtime needs root here';
    const { socketPath } = await import('@orrery/cri-remote');
    const path = socketPath(wanted);
    if (path === undefined) return `${wanted} is no unix socket`;
    const isSocket = await stat(path).then(
      (found) => found.isSocket(),
      () => false,
    );
    return isSocket ? undefined : `there is no socket at ${path}: start the runtime first`;
  },
  async open({ wanted = '', clock, ranges, machineAddress }) {
    const [{ openRemoteRuntime }, { detectProxyMode }] = await Promise.all([import('@orrery/cri-remote'), import('@orrery/kube-proxy')]);
    const runtime = await openRemoteRuntime({ endpoint: wanted, clock }).catch((cause: unknown) => {
      if (!isRuntimeError(cause)) throw cause;
      throw new CliError(`the runtime at ${wanted} does not answer: ${cause.message}`, { cause });
    });
    const address = addressOf(ranges.firstNode);
    await run('ip', ['address', 'replace', `${address}/32`, 'dev', 'lo']);
    return {
      name: 'remote',
      runtime,
      notes: runtime.notes,
      address: machineAddress ?? address,
      services: { mode: await detectProxyMode(), address },
      close: () => runtime.close(),
    };
  },
  async cleanUp({ instanceId, ranges }) {
    const { cleanUpKubeProxy } = await import('@orrery/kube-proxy');
    await cleanUpKubeProxy(instanceId);
    await run('ip', ['address', 'del', `${addressOf(ranges.firstNode)}/32`, 'dev', 'lo']).catch(() => undefined); // Gone already.
  },
};

/** This machine's own address, on the loopback device: pods reach it by their default route, other machines do not. */
const addressOf = (cidr: string): string => cidr.replace(/0\/\d+$/, '1');
