import { schemas } from '@orrery/api';
import { newDirectTransport, newResourceHandler, type ResourceDefinition } from '@orrery/apiserver';
import { newSeededRandom, realClock } from '@orrery/base';
import { type Client, type InformerFactory, newClient, newInformerFactory } from '@orrery/client';
import { newMemoryStore } from '@orrery/storage';

const kind = (group: string, kindName: string, namespaced: boolean, typeName: string): ResourceDefinition => ({
  group,
  version: 'v1',
  kind: kindName,
  resource: `${kindName.toLowerCase()}s`,
  singular: kindName.toLowerCase(),
  namespaced,
  typeName,
  strategy: { keepsStatusOnCreate: true },
});

const definitions = [
  kind('', 'Service', true, 'io.k8s.api.core.v1.Service'),
  kind('', 'Node', false, 'io.k8s.api.core.v1.Node'),
  kind('discovery.k8s.io', 'EndpointSlice', true, 'io.k8s.api.discovery.v1.EndpointSlice'),
];

export interface TestApi {
  readonly client: Client;
  readonly informers: InformerFactory;
  close(): Promise<void>;
}

/** The API of what a proxy reads, without defaults and allocation: tests say everything themselves. */
export function startTestApi(): TestApi {
  const store = newMemoryStore({ clock: realClock });
  const random = newSeededRandom(1);
  const handler = newResourceHandler({ definitions, store, schemas, clock: realClock, random, freeze: true });
  const client = newClient(newDirectTransport(handler, { username: 'test', groups: ['system:masters'] }));
  return {
    client,
    informers: newInformerFactory(client, { clock: realClock }),
    async close() {
      handler.close();
      await store.close();
    },
  };
}
