/** A role of the default policy. */
export interface DefaultRole {
  /** As `parseRules` reads them; absent: gathered from the roles with the label. */
  readonly rules?: string;
  /** `admin`, `edit`, `view`: this role's rules are part of that one. */
  readonly aggregateTo?: string;
  /** Gathers the rules of all roles that aggregate to it. */
  readonly aggregates?: string;
}

const workloads = 'daemonsets,deployments,deployments/rollback,deployments/scale,replicasets,replicasets/scale';

/** Roles for people. Names and rules are upstream's default policy. */
export const userRoles: Readonly<Record<string, DefaultRole>> = {
  'cluster-admin': { rules: '* * *\n* url *' },
  admin: { aggregates: 'admin' },
  edit: { aggregates: 'edit', aggregateTo: 'admin' },
  view: { aggregates: 'view', aggregateTo: 'edit' },
  'system:aggregate-to-admin': {
    aggregateTo: 'admin',
    rules: `
      create authorization.k8s.io localsubjectaccessreviews
      rw,ro rbac.authorization.k8s.io rolebindings,roles`,
  },
  'system:aggregate-to-edit': {
    aggregateTo: 'edit',
    rules: `
      ro - pods/attach,pods/exec,pods/portforward,pods/proxy,secrets,services/proxy
      impersonate - serviceaccounts
      rw - pods,pods/attach,pods/exec,pods/portforward,pods/proxy
      create - pods/eviction
      rw - configmaps,events,persistentvolumeclaims,replicationcontrollers,replicationcontrollers/scale,secrets,serviceaccounts,services,services/proxy
      create - serviceaccounts/token
      rw apps ${workloads},statefulsets,statefulsets/scale
      rw autoscaling horizontalpodautoscalers
      rw batch cronjobs,jobs
      rw extensions ${workloads},ingresses,networkpolicies,replicationcontrollers/scale
      rw policy poddisruptionbudgets
      rw networking.k8s.io ingresses,networkpolicies
      rw,ro coordination.k8s.io leases
      rw resource.k8s.io resourceclaims,resourceclaimtemplates`,
  },
  'system:aggregate-to-view': {
    aggregateTo: 'view',
    rules: `
      ro - configmaps,endpoints,persistentvolumeclaims,persistentvolumeclaims/status,pods,replicationcontrollers,replicationcontrollers/scale,serviceaccounts,services,services/status
      ro - bindings,events,limitranges,namespaces/status,pods/log,pods/status,replicationcontrollers/status,resourcequotas,resourcequotas/status
      ro - namespaces
      ro discovery.k8s.io endpointslices
      ro apps controllerrevisions,daemonsets,daemonsets/status,deployments,deployments/scale,deployments/status,replicasets,replicasets/scale,replicasets/status,statefulsets,statefulsets/scale,statefulsets/status
      ro autoscaling horizontalpodautoscalers,horizontalpodautoscalers/status
      ro batch cronjobs,cronjobs/status,jobs,jobs/status
      ro extensions daemonsets,daemonsets/status,deployments,deployments/scale,deployments/status,ingresses,ingresses/status,networkpolicies,replicasets,replicasets/scale,replicasets/status,replicationcontrollers/scale
      ro policy poddisruptionbudgets,poddisruptionbudgets/status
      ro networking.k8s.io ingresses,ingresses/status,networkpolicies
      ro resource.k8s.io resourceclaims,resourceclaims/status,resourceclaimtemplates`,
  },
  'system:basic-user': {
    rules: `
      create authorization.k8s.io selfsubjectaccessreviews,selfsubjectrulesreviews
      create authentication.k8s.io selfsubjectreviews`,
  },
  'system:discovery': { rules: 'get url /api,/api/*,/apis,/apis/*,/healthz,/livez,/openapi,/openapi/*,/readyz,/version,/version/' },
  'system:public-info-viewer': { rules: 'get url /healthz,/livez,/readyz,/version,/version/' },
  'system:monitoring': { rules: 'get url /healthz,/healthz/*,/livez,/livez/*,/metrics,/metrics/slis,/readyz,/readyz/*' },
  'system:service-account-issuer-discovery': { rules: 'get url /.well-known/openid-configuration,/openid/v1/jwks' },
};
