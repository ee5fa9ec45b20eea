import type { KubeObject, Resource } from '@orrery/apimachinery';
import { qualifiedResource } from '@orrery/apimachinery';
import { aborted, assert, type Clock, type Random, sharedSignal } from '@orrery/base';
import { type Logger, silentLogger } from '@orrery/component';
import type { Client } from '../client.ts';
import type { Informer } from './informer.ts';
import type { Indexers } from './lister.ts';
import { newReflector, type ReflectorScope } from './reflector.ts';
import { newRetryLog } from './retry-log.ts';
import { SharedInformer } from './shared-informer.ts';

export interface InformerOptions<T extends KubeObject> extends ReflectorScope {
  readonly indexers?: Indexers<T>;
  /**
   * Applied to every object before it is stored, to drop what nobody here reads. Must be pure and keep the metadata that identifies it.
   * Only the first to ask for an informer may set it.
   */
  readonly transform?: (object: T) => T;
}

export interface InformerFactoryOptions {
  readonly clock: Clock;
  /** Spreads retries and watch lifetimes. Absent: exact values, as simulations want them. */
  readonly random?: Random;
  /** Told of every retry (warn; once a minute while the server is out of reach) and of what handlers throw (error). @default silent */
  readonly log?: Logger;
}

/** Hands out one informer for each resource and scope, so that every component of a process shares one copy and one watch. */
export interface InformerFactory {
  /** The shared informer; asking does not start it. Indexers of every caller are merged. */
  informer<T extends KubeObject>(resource: Resource<T>, options?: InformerOptions<T>): Informer<T>;
  /** Runs every informer, those asked for later too, until `signal` aborts; resolves when all have stopped. May have several callers. */
  run(signal: AbortSignal): Promise<void>;
  /** Resolves when every informer asked for so far has synced. Rejects with the signal's reason when that comes first. */
  waitForSync(signal: AbortSignal): Promise<void>;
}

export function newInformerFactory(client: Pick<Client, 'list' | 'watch'>, options: InformerFactoryOptions): InformerFactory {
  const { clock, random, log = silentLogger } = options;
  const informers = new Map<string, SharedInformer<KubeObject>>();
  const tellOfRetry = newRetryLog(log, clock);
  const runs = new Set<{ readonly signal: AbortSignal; readonly started: Promise<void>[] }>();

  const make = <T extends KubeObject>(resource: Resource<T>, { namespace, labelSelector, fieldSelector, transform }: InformerOptions<T>) =>
    new SharedInformer<T>({
      clock,
      transform,
      newReflector: (sink) =>
        newReflector({
          client,
          resource,
          scope: { namespace, labelSelector, fieldSelector },
          sink,
          clock,
          random,
          onError: (error) => tellOfRetry(qualifiedResource(resource), error),
        }),
      onError: (error) => log.error('informer handler failed', { resource: qualifiedResource(resource), error }),
    });

  return {
    informer<T extends KubeObject>(resource: Resource<T>, wanted: InformerOptions<T> = {}): Informer<T> {
      const id = identity(resource, wanted);
      let informer = informers.get(id) as SharedInformer<T> | undefined;
      assert(
        informer === undefined || wanted.transform === undefined,
        () => `the informer of ${resource.resource} exists: too late to transform`,
      );
      if (informer === undefined) {
        informer = make(resource, wanted);
        // One map for all types: the identity holds the resource, which fixes T.
        informers.set(id, informer as unknown as SharedInformer<KubeObject>);
        for (const run of runs) run.started.push(informer.run(run.signal));
      }
      informer.addIndexers(wanted.indexers ?? {});
      return informer;
    },

    async run(signal) {
      sharedSignal(signal);
      const run = { signal, started: [...informers.values()].map((informer) => informer.run(signal)) };
      runs.add(run);
      await aborted(signal);
      runs.delete(run);
      await Promise.all(run.started);
    },

    async waitForSync(signal) {
      await Promise.all([...informers.values()].map((informer) => informer.waitForSync(signal)));
    },
  };
}

function identity(resource: Resource, { namespace = '', labelSelector = '', fieldSelector = '' }: ReflectorScope): string {
  return JSON.stringify([resource.group, resource.version, resource.resource, namespace, labelSelector, fieldSelector]);
}
