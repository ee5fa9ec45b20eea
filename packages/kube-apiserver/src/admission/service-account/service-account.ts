import { serviceAccounts } from '@orrery/api';
import type { Pod, ServiceAccount } from '@orrery/api/core/v1';
import { cloneJson, type Draft, isNotFound } from '@orrery/apimachinery';
import type { AdmissionPlugin } from '@orrery/apiserver';
import type { AdmissionContext } from '../context.ts';
import { isFor, refusal } from '../refusal.ts';
import { mountToken } from './token-volume.ts';

const MIRROR = 'kubernetes.io/config.mirror';
/** A new namespace gets its `default` account a moment after it was made: pods wait for it a little. Source: the plugin's getServiceAccount. */
const DEFAULT_ATTEMPTS = 10;
const RETRY_MS_MIN = 100;

export interface ServiceAccountOptions {
  /** Give every container a token of its account, where neither pod nor account objects. @default false */
  readonly mountTokens?: boolean;
}

/** Every pod has a service account that exists, and its pull secrets. */
export function newServiceAccountPlugin(context: AdmissionContext, { mountTokens = false }: ServiceAccountOptions = {}): AdmissionPlugin {
  return {
    name: 'ServiceAccount',
    async admit(draft, attributes) {
      if (attributes.operation !== 'CREATE' || !isFor(attributes, 'pods') || draft === undefined) return;
      const pod = draft as Draft<Pod>;
      if (pod.metadata.annotations?.[MIRROR] !== undefined) return;
      const name = pod.spec.serviceAccountName || 'default';
      pod.spec.serviceAccountName = name;
      pod.spec.serviceAccount = name;
      const namespace = attributes.namespace ?? '';
      const account = await find(context, namespace, name);
      if (account === undefined) {
        throw refusal(attributes, draft, `error looking up service account ${namespace}/${name}: serviceaccount "${name}" not found`);
      }
      if (mountTokens && automounts(pod, account)) mountToken(pod, context.random);
      if ((pod.spec.imagePullSecrets ?? []).length === 0 && (account.imagePullSecrets ?? []).length > 0) {
        pod.spec.imagePullSecrets = cloneJson(account.imagePullSecrets ?? []);
      }
    },
  };
}

const automounts = ({ spec }: Draft<Pod>, account: ServiceAccount): boolean =>
  spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true;

async function find(context: AdmissionContext, namespace: string, name: string): Promise<ServiceAccount | undefined> {
  const attempts = name === 'default' ? DEFAULT_ATTEMPTS : 1;
  for (let attempt = 1; ; attempt++) {
    try {
      return await context.client().get(serviceAccounts, { namespace, name });
    } catch (err) {
      if (!isNotFound(err)) throw err;
      if (attempt >= attempts) return undefined;
      await context.clock.sleep(RETRY_MS_MIN + context.random.integer(RETRY_MS_MIN));
    }
  }
}
