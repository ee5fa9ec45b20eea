import { namespaces } from '@orrery/api';
import type { Namespace } from '@orrery/api/core/v1';
import type { AdmissionPlugin } from '@orrery/apiserver';
import type { AdmissionContext } from '../context.ts';
import { refusal } from '../refusal.ts';

/** Namespaces that the system cannot be without. */
const immortal: ReadonlySet<string> = new Set(['default', 'kube-system', 'kube-public']);

/** Nothing is written into a namespace that is not there, nothing new into one that is going, and some never go. */
export function newNamespaceLifecycle(context: AdmissionContext): AdmissionPlugin {
  return {
    name: 'NamespaceLifecycle',
    async admit(draft, attributes) {
      const { definition, operation, namespace, name } = attributes;
      if (definition.group === '' && definition.resource === 'namespaces') {
        if (operation === 'DELETE' && immortal.has(name)) throw refusal(attributes, draft, 'this namespace may not be deleted');
        return;
      }
      if (namespace === undefined || namespace === '' || operation === 'DELETE') return;
      const found = await find(context, namespace);
      if (operation !== 'CREATE' || found.status?.phase !== 'Terminating') return;
      throw refusal(attributes, draft, `unable to create new content in namespace ${namespace} because it is being terminated`, {
        reason: 'NamespaceTerminating',
        message: `namespace ${namespace} is being terminated`,
        field: 'metadata.namespace',
      });
    },
  };
}

/** @throws StatusError NotFound about the namespace */
const find = (context: AdmissionContext, name: string): Promise<Namespace> => context.client().get(namespaces, { name });
