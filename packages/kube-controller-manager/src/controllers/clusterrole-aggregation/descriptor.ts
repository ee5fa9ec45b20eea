import { clusterRoles } from '@orrery/api';
import type { ClusterRole, PolicyRule } from '@orrery/api/rbac/v1';
import { isNotFound, selectorFromLabelSelector } from '@orrery/apimachinery';
import { type ControllerDescriptor, newController, type Reconciler, watchOf } from '@orrery/controller';
import type { ControllerContext } from '../../context.ts';

const NAME = 'clusterrole-aggregation-controller';

/** Gives roles with an `aggregationRule` the rules of the roles that it selects. Source: upstream's controller of the same name. */
export const clusterRoleAggregationController: ControllerDescriptor<ControllerContext> = {
  name: NAME,
  featureGates: [],
  create(context) {
    const { clock, informers, log, metrics } = context;
    const { lister } = informers.informer(clusterRoles);
    return newController({
      name: NAME,
      clock,
      informerFactory: informers,
      primary: clusterRoles,
      predicate: { onAdd: gathers, onUpdate: (_, role) => gathers(role), onDelete: () => false },
      watches: [
        watchOf({
          resource: clusterRoles,
          // Also when this role no longer matches: whoever held its rules is to lose them. There are few that gather.
          mapToKeys: ({ metadata }) =>
            Object.keys(metadata.labels ?? {}).length === 0
              ? []
              : lister
                  .list()
                  .filter(gathers)
                  .map((role) => ({ name: role.metadata.name })),
        }),
      ],
      reconciler: newReconciler(context),
      log,
      ...(metrics === undefined ? {} : { metrics }),
    });
  },
};

const gathers = ({ aggregationRule }: ClusterRole): boolean => aggregationRule !== undefined;

function newReconciler({ client, informers }: ControllerContext): Reconciler {
  const { lister } = informers.informer(clusterRoles);
  return {
    async reconcile({ name }, signal) {
      const role = lister.get(name);
      if (role === undefined || !gathers(role)) return {};
      const rules = gatheredRules(role, lister.list());
      if (JSON.stringify(rules) === JSON.stringify(role.rules ?? [])) return {};
      try {
        await client.update(clusterRoles, { ...role, rules }, { signal });
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
      return {};
    },
  };
}

/** The rules of all other roles that a selector matches: by the selectors' order, then by name; each once. */
export function gatheredRules(role: ClusterRole, all: readonly ClusterRole[]): readonly PolicyRule[] {
  const others = all.filter(({ metadata }) => metadata.name !== role.metadata.name);
  others.sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  const seen = new Set<string>();
  const rules: PolicyRule[] = [];
  for (const selector of role.aggregationRule?.clusterRoleSelectors ?? []) {
    const parsed = selectorFromLabelSelector(selector);
    for (const rule of others.filter(({ metadata }) => parsed.matches(metadata.labels ?? {})).flatMap((other) => other.rules ?? [])) {
      const text = JSON.stringify(rule);
      if (!seen.has(text)) rules.push(rule);
      seen.add(text);
    }
  }
  return rules;
}
