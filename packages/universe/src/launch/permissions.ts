import type { KubeObject, NewObject, Resource } from '@orrery/apimachinery';
import { isStatusError } from '@orrery/apimachinery';
import type { Client } from '@orrery/client';
import { LaunchProblem } from '../options/settings.ts';
import type { Plan } from '../plan/plan.ts';

interface AccessReview extends KubeObject {
  readonly spec: { readonly resourceAttributes: object };
  readonly status?: { readonly allowed?: boolean; readonly reason?: string };
}

const accessReviews: Resource<AccessReview> = {
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectAccessReview',
  resource: 'selfsubjectaccessreviews',
  namespaced: false,
};

/** Something that a launcher does in a namespace. */
export interface Permission {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string;
}

/** What a run of `plan` takes, each once. @param uses - Whether ports are forwarded, and whether code is sent into pods. */
export function permissionsFor(
  { objects }: Plan,
  { forwards, sends }: { readonly forwards: boolean; readonly sends: boolean },
): readonly Permission[] {
  const creations = objects.map(({ resource: { group, resource } }) => ({ verb: 'create', group, resource }));
  const pod = (verb: string, subresource?: string): Permission => ({
    verb,
    group: '',
    resource: 'pods',
    ...(subresource === undefined ? {} : { subresource }),
  });
  const root = ['create', 'patch', 'delete'].map((verb) => ({ verb, group: 'batch', resource: 'jobs' }));
  const wanted: readonly Permission[] = [
    ...root,
    ...creations,
    pod('list'),
    pod('watch'),
    pod('get', 'log'),
    ...(forwards ? [pod('create', 'portforward')] : []),
    ...(sends ? [pod('create', 'exec')] : []),
  ];
  return [...new Map(wanted.map((permission) => [textOf(permission), permission])).values()];
}

const textOf = ({ verb, group, resource, subresource }: Permission): string =>
  `${verb} ${resource}${subresource === undefined ? '' : `/${subresource}`}${group === '' ? '' : `.${group}`}`;

/**
 * Asks the cluster whether all of it is allowed.
 * @throws {LaunchProblem} that names all that is missing.
 */
export async function checkPermissions(
  client: Client,
  namespace: string,
  permissions: readonly Permission[],
  signal: AbortSignal,
): Promise<void> {
  const allowed = async (permission: Permission): Promise<boolean> => {
    const review = { metadata: {}, spec: { resourceAttributes: { namespace, ...permission } } } as unknown as NewObject<AccessReview>;
    const { status } = await client.create(accessReviews, review, { signal });
    return status?.allowed === true;
  };
  let answers: readonly boolean[];
  try {
    answers = await Promise.all(permissions.map(allowed));
  } catch (cause) {
    if (isStatusError(cause) && cause.code === 404) return; // No such API: the creations will tell.
    throw cause;
  }
  const missing = permissions.filter((_, index) => answers[index] === false).map(textOf);
  if (missing.length > 0) throw new LaunchProblem(`not allowed in namespace "${namespace}": ${missing.join(', ')}`);
}
