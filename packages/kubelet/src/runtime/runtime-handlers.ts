import { runtimeClasses } from '@orrery/api';
import type { Pod } from '@orrery/api/core/v1';
import type { Client } from '@orrery/client';
import type { Runtime, RuntimeHandlerFeatures } from '@orrery/cri';
import { messageOf } from './errors.ts';

/** Which of the runtime's configurations a pod runs with. */
export interface RuntimeHandlers {
  /** The handler of the pod's runtime class; empty: the runtime's usual one. @throws {Error} when there is no such class. */
  of(pod: Pod): Promise<string>;
  /** @throws {Error} when the handler cannot give pods ids of their own: such a pod must not run with the host's. */
  requireUserNamespaces(handler: string): Promise<void>;
  /** Whether read-only mounts of the pod can be so in all their depth; false, unasked, where no mount wants it. */
  recursiveReadOnly(pod: Pod): Promise<boolean>;
}

export function newRuntimeHandlers(client: Client, runtime: Runtime): RuntimeHandlers {
  async function handlerOf({ spec }: Pod): Promise<string> {
    const name = spec.runtimeClassName ?? '';
    if (name === '') return '';
    try {
      return (await client.get(runtimeClasses, { name })).handler;
    } catch (err) {
      throw new Error(`failed to get RuntimeHandler for RuntimeClass ${JSON.stringify(name)}: ${messageOf(err)}`, { cause: err });
    }
  }

  async function featuresOf(handler: string): Promise<RuntimeHandlerFeatures> {
    const { runtimeHandlers = [] } = await runtime.status({});
    return runtimeHandlers.find(({ name = '' }) => name === handler)?.features ?? {};
  }

  return {
    of: handlerOf,
    async recursiveReadOnly(pod) {
      const { containers, initContainers = [], ephemeralContainers = [] } = pod.spec;
      const all = [...containers, ...initContainers, ...ephemeralContainers];
      if (!all.some(({ volumeMounts = [] }) => volumeMounts.some(({ recursiveReadOnly: mode }) => mode !== undefined))) return false;
      return (await featuresOf(await handlerOf(pod))).recursiveReadOnlyMounts === true;
    },
    async requireUserNamespaces(handler) {
      if ((await featuresOf(handler)).userNamespaces === true) return;
      const who = handler === '' ? 'runtime' : `RuntimeClass handler ${JSON.stringify(handler)}`;
      throw new Error(`can't set \`spec.hostUsers: false\`, ${who} does not support user namespaces`);
    },
  };
}
