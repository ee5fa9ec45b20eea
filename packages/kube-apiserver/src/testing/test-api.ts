import { schemas } from '@orrery/api';
import { newDirectTransport, newResourceHandler, type RunningHandler } from '@orrery/apiserver';
import { type Clock, newSeededRandom, realClock } from '@orrery/base';
import { type Client, newClient } from '@orrery/client';
import { newMemoryStore } from '@orrery/storage';
import { type AdmissionOptions, newAdmissionPlugins } from '../admission/plugins.ts';
import { bootstrapObjects } from '../bootstrap/bootstrap-objects.ts';
import { resources } from '../registry/resources.ts';
import { subresources } from '../registry/subresources.ts';

/** The kinds on the real handler and a memory store, without HTTP. */
export interface TestApi {
  readonly client: Client;
  readonly handler: RunningHandler;
  close(): Promise<void>;
}

export interface TestApiOptions {
  /** @default real time */
  readonly clock?: Clock;
  /** @default none: kinds alone */
  readonly admission?: AdmissionOptions;
}

const user = { username: 'test', groups: ['system:masters'] };

/** A server with the objects of a new cluster. Without `admission` nothing is admitted or allocated. */
export async function startTestApi({ clock = realClock, admission }: TestApiOptions = {}): Promise<TestApi> {
  const store = newMemoryStore({ clock });
  const random = newSeededRandom(1);
  let client: Client | undefined;
  const late = (): Client => {
    if (client === undefined) throw new Error('the server is not there yet');
    return client;
  };
  const plugins = admission === undefined ? [] : newAdmissionPlugins({ client: late, clock, random }, admission);
  const handler = newResourceHandler({
    definitions: resources,
    store,
    schemas,
    clock,
    random,
    admission: plugins,
    subresources,
    freeze: true,
  });
  client = newClient(newDirectTransport(handler, user));
  await bootstrapObjects({ client, advertise: { address: '10.0.0.1', port: 6443 } });
  return {
    client,
    handler,
    async close() {
      handler.close();
      await store.close();
    },
  };
}
