/**
 * Order of the groups in discovery, and so in what kubectl takes a bare resource name for: higher first.
 * Source: the API service priorities of the control plane. Groups that are not here (custom resources) have 1000.
 */
const priorities: Readonly<Record<string, number>> = {
  '': 18_000,
  'apiregistration.k8s.io': 18_000,
  apps: 17_800,
  'events.k8s.io': 17_750,
  'authentication.k8s.io': 17_700,
  'authorization.k8s.io': 17_600,
  autoscaling: 17_500,
  batch: 17_400,
  policy: 17_400,
  'certificates.k8s.io': 17_300,
  'networking.k8s.io': 17_200,
  'rbac.authorization.k8s.io': 17_000,
  'storage.k8s.io': 16_800,
  'admissionregistration.k8s.io': 16_700,
  'apiextensions.k8s.io': 16_700,
  'scheduling.k8s.io': 16_600,
  'coordination.k8s.io': 16_500,
  'node.k8s.io': 16_300,
  'discovery.k8s.io': 16_200,
  'flowcontrol.apiserver.k8s.io': 16_100,
  'internal.apiserver.k8s.io': 16_000,
  'resource.k8s.io': 15_900,
  'storagemigration.k8s.io': 15_800,
};

/** Priority of an API group in discovery. @default 1000, as for custom resources */
export const groupPriority = (group: string): number => priorities[group] ?? 1000;
