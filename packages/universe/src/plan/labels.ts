/** On every object that a run creates: the run's id. */
export const runLabel = 'universe.orrery.dev/run';
/** On a run's root: who started it, where from, and what keeps it. Read by `orrery ps`. */
export const startedByAnnotation = 'universe.orrery.dev/started-by';
/** On the root: SHA-256 of the code in hex. */
export const codeAnnotation = 'universe.orrery.dev/code';
/** On the root: what the user runs, as text. */
export const commandAnnotation = 'universe.orrery.dev/command';

export const managedBy = 'orrery-universe';

/** One deployment of one application in one cluster. */
export interface Run {
  /** Application, as the user calls it. */
  readonly app: string;
  /** Five characters of [a-z0-9]. */
  readonly id: string;
  readonly namespace: string;
}

/** What every object of the run is called, or starts with. */
export const runName = ({ app, id }: Run): string => `${app}-${id}`;

export const labelsOf = ({ app, id }: Run): Readonly<Record<string, string>> => ({
  'app.kubernetes.io/name': app,
  'app.kubernetes.io/instance': `${app}-${id}`,
  'app.kubernetes.io/managed-by': managedBy,
  [runLabel]: id,
});

/** What a Service and a Deployment select: the program's pods. */
export const podSelectorOf = ({ id }: Run): Readonly<Record<string, string>> => ({
  [runLabel]: id,
  'app.kubernetes.io/component': 'program',
});

export const runSelector = ({ id }: Pick<Run, 'id'>): string => `${runLabel}=${id}`;
