import type { ConfigMap, Secret } from '@orrery/api/core/v1';

/** Reads what pods refer to. Rejects with a NotFound `StatusError` for what does not exist. */
export interface References {
  configMap(namespace: string, name: string): Promise<ConfigMap>;
  secret(namespace: string, name: string): Promise<Secret>;
}
