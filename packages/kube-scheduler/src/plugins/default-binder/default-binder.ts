import { pods } from '@orrery/api';
import type { PluginFactory } from '../../framework/plugin.ts';

/** Binds through the API. */
export const newDefaultBinder: PluginFactory = ({ client }) => ({
  name: 'DefaultBinder',
  eventsToRegister: () => [],
  async bind(_state, { namespace, uid, pod }, nodeName, signal) {
    const { name } = pod.metadata;
    const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { namespace, name, uid }, target: { kind: 'Node', name: nodeName } };
    await client.createSubresource(pods, { namespace, name }, 'binding', binding, { signal });
    return undefined;
  },
});
