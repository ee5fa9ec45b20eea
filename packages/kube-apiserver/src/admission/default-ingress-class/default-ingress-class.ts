import { ingressClasses } from '@orrery/api';
import type { Ingress } from '@orrery/api/networking/v1';
import type { Draft } from '@orrery/apimachinery';
import type { AdmissionPlugin } from '@orrery/apiserver';
import { INGRESS_CLASS_ANNOTATION } from '../../registry/networking/ingress/validation.ts';
import type { AdmissionContext } from '../context.ts';

const IS_DEFAULT_ANNOTATION = 'ingressclass.kubernetes.io/is-default-class';

/** Gives new Ingresses without a class the default one; of several defaults the newest. Source: the plugin DefaultIngressClass. */
export function newDefaultIngressClass(context: AdmissionContext): AdmissionPlugin {
  return {
    name: 'DefaultIngressClass',
    async admit(draft, { definition, operation, subresource }) {
      if (draft === undefined || operation !== 'CREATE' || subresource !== '') return;
      if (definition.group !== 'networking.k8s.io' || definition.resource !== 'ingresses') return;
      const { metadata, spec } = draft as Draft<Ingress>;
      if (spec.ingressClassName !== undefined || metadata.annotations?.[INGRESS_CLASS_ANNOTATION] !== undefined) return;
      const { items } = await context.client().list(ingressClasses);
      const [newest] = items
        .filter((candidate) => candidate.metadata.annotations?.[IS_DEFAULT_ANNOTATION] === 'true')
        .sort((a, b) => compare(b.metadata.creationTimestamp, a.metadata.creationTimestamp) || compare(a.metadata.name, b.metadata.name));
      if (newest !== undefined) spec.ingressClassName = newest.metadata.name;
    },
  };
}

const compare = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);
