/** Set in the environment of what runs in the namespaces of an ordinary user's cluster, where that user is 0. */
export const ROOTLESS = 'ORRERY_ROOTLESS';

/** Notes of the namespaces, for the process inside: a JSON list in its environment. */
export const ROOTLESS_NOTES = 'ORRERY_ROOTLESS_NOTES';

type Environment = Readonly<Record<string, string | undefined>>;

/** This process is root in namespaces of its own, not on the machine. */
export const isInsideNamespaces = (env: Environment): boolean => env[ROOTLESS] === '1';

/** The process of a cluster that others know: in namespaces, the one outside. */
export const servingPid = (env: Environment): number => (isInsideNamespaces(env) ? process.ppid : process.pid);

/** This process may change the machine itself. */
export const isMachineRoot = (env: Environment): boolean => process.getuid?.() === 0 && !isInsideNamespaces(env);

/** An ordinary user of a machine that has user namespaces. */
export const isOrdinaryUser = (): boolean => process.platform === 'linux' && process.getuid?.() !== 0;
