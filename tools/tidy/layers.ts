/** Lowest first. A package may depend only on packages in lower rows, never on a sibling. The table of ARCHITECTURE.md. */
export const layers: readonly (readonly string[])[] = [
  ['@orrery/base'],
  ['@orrery/apimachinery'],
  ['@orrery/api', '@orrery/component'],
  ['@orrery/client', '@orrery/storage', '@orrery/cri'],
  ['@orrery/apiserver', '@orrery/controller', '@orrery/cri-oci', '@orrery/cri-process', '@orrery/cri-remote', '@orrery/dashboard'],
  [
    '@orrery/cluster-dns',
    '@orrery/kube-apiserver',
    '@orrery/kube-controller-manager',
    '@orrery/kube-proxy',
    '@orrery/kube-scheduler',
    '@orrery/kubelet',
    '@orrery/pod-network',
    '@orrery/universe',
  ],
  ['orrery'],
  ['@orrery/testkit'],
];

export interface PackageImports {
  readonly name: string;
  /** Workspace packages named in package.json `dependencies`, and in `devDependencies` for tests. */
  readonly dependencies: readonly string[];
  /** Workspace packages that its sources import, tests included. */
  readonly imports: readonly string[];
}

/** One line for each edge that does not point down, or that package.json does not declare. */
export function layerViolations(packages: readonly PackageImports[]): string[] {
  const levelOf = new Map(layers.flatMap((names, level) => names.map((name) => [name, level] as const)));
  return packages.flatMap(({ name, dependencies, imports }) => {
    const level = levelOf.get(name);
    if (level === undefined) return [`${name}: not in tools/tidy/layers.ts`];
    const upward = [...new Set([...dependencies, ...imports])]
      .filter((dependency) => (levelOf.get(dependency) ?? Number.POSITIVE_INFINITY) >= level)
      .map((dependency) => `${name} -> ${dependency}: not a lower layer`);
    const undeclared = imports
      .filter((dependency) => !dependencies.includes(dependency))
      .map((dependency) => `${name} imports ${dependency}, which its package.json does not declare`);
    return [...upward, ...undeclared];
  });
}
