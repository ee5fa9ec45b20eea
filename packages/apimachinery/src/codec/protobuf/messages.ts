import { apiVersionOf } from '../../object.ts';
import type { FactTable } from '../../schema/facts.ts';
import type { Planner } from './plan.ts';

const meta = 'k8s.io.apimachinery.pkg.apis.meta.v1';
/** Kinds that belong to every group: options of a call, and events of a watch. */
const everywhere = new Set(['CreateOptions', 'DeleteOptions', 'GetOptions', 'ListOptions', 'PatchOptions', 'UpdateOptions', 'WatchEvent']);

/** Packages whose kinds the published document does not list. */
const packages: Readonly<Record<string, readonly string[]>> = {
  v1: ['k8s.io.api.core.v1', meta],
  'meta.k8s.io/v1': [meta],
  'meta.k8s.io/v1beta1': ['k8s.io.apimachinery.pkg.apis.meta.v1beta1', meta],
  'apidiscovery.k8s.io/v2': ['k8s.io.api.apidiscovery.v2'],
  'apidiscovery.k8s.io/v2beta1': ['k8s.io.api.apidiscovery.v2beta1'],
  'admission.k8s.io/v1': ['k8s.io.api.admission.v1'],
};

/** Finds the message of a kind. */
export class MessageIndex {
  readonly #planner: Planner;
  /** `apps/v1 Deployment` → message. */
  readonly #byKind = new Map<string, string>();
  /** `apps/v1` → package, for kinds that stand in no list. */
  readonly #packages = new Map<string, string>();

  constructor(planner: Planner, types: FactTable) {
    this.#planner = planner;
    for (const [type, { gvk = [] }] of Object.entries(types)) {
      const message = type.replace(/^io\.k8s\./, 'k8s.io.');
      if (!planner.has(message)) continue;
      for (const [group, version, kind] of gvk) {
        const apiVersion = apiVersionOf({ group, version });
        this.#byKind.set(`${apiVersion} ${kind}`, message);
        if (gvk.length === 1 && message.startsWith('k8s.io.api.'))
          this.#packages.set(apiVersion, message.slice(0, message.lastIndexOf('.')));
      }
    }
  }

  /** Undefined: the kind has no protobuf form, as custom resources and Table. */
  find(apiVersion: string, kind: string): string | undefined {
    const known = this.#byKind.get(`${apiVersion} ${kind}`);
    if (known !== undefined) return known;
    if (everywhere.has(kind)) return `${meta}.${kind}`;
    const candidates = [...(packages[apiVersion] ?? []), this.#packages.get(apiVersion) ?? ''];
    return candidates.map((name) => `${name}.${kind}`).find((message) => this.#planner.has(message));
  }
}
