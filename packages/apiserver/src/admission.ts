import type { Draft, KubeObject } from '@orrery/apimachinery';
import type { ResourceDefinition, UserInfo } from './definition.ts';

export interface AdmissionAttributes {
  readonly definition: ResourceDefinition;
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';
  readonly subresource: string;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly user: UserInfo;
  readonly dryRun: boolean;
  readonly old: KubeObject | undefined;
  readonly warn: (text: string) => void;
}

/** One gate of the write path. Order is the order of the list. Refuses by throwing a StatusError. */
export interface AdmissionPlugin {
  /** Public name, as upstream's: `NamespaceLifecycle`. */
  readonly name: string;
  /** May change the draft; runs before validation. */
  admit?(draft: Draft<KubeObject> | undefined, attributes: AdmissionAttributes): void | Promise<void>;
  /** Sees the final object; runs after validation. */
  validate?(object: KubeObject | undefined, attributes: AdmissionAttributes): void | Promise<void>;
}
