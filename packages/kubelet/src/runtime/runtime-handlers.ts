import { runtimeClasses } from '@orrery/api';
import type { Pod } from '@orrery/api/core/v1';
import type { Client } from '@orrery/client';
import type { Runtime } from '@orrery/cri';
import { messageOf } from './errors.ts';

/** Which of the runtime's configurations a pod runs with. */
export interface RuntimeHandlers {
  /** The handler of the pod's runtime class; empty: the runtime's usual one. @throws {Error} when there is no such class. */
  of(pod: Pod): Promise<string>;
  /** @throws {Error} when the handler cannot give pods ids of their own: such a pod must not run with the host's. */
  requireUserNamespaces(handler: string): Promise<void>;
}

export function newRuntimeHandlers(client: Client, runtime: Runtime): RuntimeHandlers {
  return {
    async of({ spec }) {
      const name = spec.runtimeClassName ?? '';
      if (name === '') return '';
      try {
        return (await client.get(runtimeClasses, { name })).handler;
      } catch (err) {
        throw new Error(`failed to get RuntimeHandler for RuntimeClass ${JSON.stringify(name)}: ${messageOf(err)}`, { cause: err });
      }
    },
    async requireUserNamespaces(handler) {
      const { runtimeHandlers = [] } = await runtime.status({});
      const found = runtimeHandlers.find(({ name = '' }) => name === handler);
      if (found?.features?.userNamespaces === true) return;
      const who = handler === '' ? 'runtime' : `RuntimeClass handler ${JSON.stringify(handler)}`;
      throw new Error(`can't set \`spec.hostUsers: false\`, ${who} does not support user namespaces`);
    },
  };
}
