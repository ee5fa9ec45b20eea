import type { Container, EnvFromSource, EnvVar, Pod } from '@orrery/api/core/v1';
import { isNotFound } from '@orrery/apimachinery';
import { expand } from './expansion.ts';
import { type PodFacts, podField } from './field-ref.ts';
import type { References } from './references.ts';
import { resourceField } from './resource-field.ts';
import type { EnvVariable } from './services.ts';

export interface EnvironmentInput {
  readonly pod: Pod;
  readonly container: Container;
  readonly facts: PodFacts;
  readonly references: References;
  /** Variables of Services that the pod is to see. */
  readonly serviceVariables: readonly EnvVariable[];
  /** The node's allocatable resources. */
  readonly allocatable: Readonly<Record<string, string>>;
  /** Told of keys that are no names. */
  readonly onInvalidKeys: (message: string) => void;
}

type Variables = Map<string, string>;

// Printable ASCII but `=`. Source: validation.IsRelaxedEnvVarName.
const validName = /^[ -<>-~]+$/;

/** `undefined` for what is absent and optional. Other failures are worded as upstream's own cache words them. */
async function fetchOptional<T>(
  fetch: () => Promise<T>,
  kind: string,
  name: string,
  optional: boolean | undefined,
): Promise<T | undefined> {
  try {
    return await fetch();
  } catch (err) {
    if (!isNotFound(err)) throw err;
    if (optional === true) return undefined;
    throw new Error(`${kind} "${name}" not found`, { cause: err });
  }
}

const decode = (text: string): string => Buffer.from(text, 'base64').toString();

async function sourceData({ configMapRef, secretRef }: EnvFromSource, input: EnvironmentInput) {
  const namespace = input.pod.metadata.namespace ?? '';
  if (configMapRef !== undefined) {
    const { name = '', optional } = configMapRef;
    const found = await fetchOptional(() => input.references.configMap(namespace, name), 'configmap', name, optional);
    return { kind: 'configMap', name, data: Object.entries(found?.data ?? {}) };
  }
  if (secretRef !== undefined) {
    const { name = '', optional } = secretRef;
    const found = await fetchOptional(() => input.references.secret(namespace, name), 'secret', name, optional);
    return { kind: 'secret', name, data: Object.entries(found?.data ?? {}).map(([key, value]) => [key, decode(value)] as const) };
  }
  return { kind: '', name: '', data: [] };
}

async function addAll(source: EnvFromSource, input: EnvironmentInput, variables: Variables): Promise<void> {
  const { kind, name, data } = await sourceData(source, input);
  const invalid: string[] = [];
  for (const [key, value] of data) {
    const full = `${source.prefix ?? ''}${key}`;
    if (validName.test(full)) variables.set(full, value);
    else invalid.push(full);
  }
  if (invalid.length === 0) return;
  const keys = invalid.sort().join(', ');
  const namespace = input.pod.metadata.namespace ?? '';
  input.onInvalidKeys(
    `Keys [${keys}] from the EnvFrom ${kind} ${namespace}/${name} were skipped since they are considered invalid environment variable names.`,
  );
}

/** The value of one variable; `undefined` when it comes from something absent and optional. */
async function variableValue(
  variable: EnvVar,
  input: EnvironmentInput,
  lookup: (name: string) => string | undefined,
): Promise<string | undefined> {
  const { valueFrom: from } = variable;
  const { pod, container, references } = input;
  const namespace = pod.metadata.namespace ?? '';
  if (from === undefined) return expand(variable.value ?? '', lookup);
  if (from.fieldRef !== undefined) return podField(from.fieldRef.fieldPath, pod, input.facts);
  if (from.resourceFieldRef !== undefined) return resourceField(from.resourceFieldRef, pod, container, input.allocatable);
  if (from.configMapKeyRef !== undefined) {
    const { name = '', key, optional } = from.configMapKeyRef;
    const found = await fetchOptional(() => references.configMap(namespace, name), 'configmap', name, optional);
    const value = found?.data?.[key];
    if (value === undefined && optional !== true) throw new Error(`couldn't find key ${key} in ConfigMap ${namespace}/${name}`);
    return value;
  }
  if (from.secretKeyRef !== undefined) {
    const { name = '', key, optional } = from.secretKeyRef;
    const found = await fetchOptional(() => references.secret(namespace, name), 'secret', name, optional);
    const value = found?.data?.[key];
    if (value === undefined && optional !== true) throw new Error(`couldn't find key ${key} in Secret ${namespace}/${name}`);
    return value === undefined ? undefined : decode(value);
  }
  throw new Error(`environment variable ${variable.name} has a source that this node cannot read`);
}

/**
 * The environment of a container: `envFrom` in order, then `env` (later ones win and may refer to earlier ones), then Service variables
 * whose names are free. Source: kubelet makeEnvironmentVariables.
 *
 * @throws {Error} when something it needs is missing: the container cannot be made until it is there.
 */
export async function makeEnvironment(input: EnvironmentInput): Promise<readonly EnvVariable[]> {
  const services = new Map(input.serviceVariables.map(({ name, value }) => [name, value]));
  const variables: Variables = new Map();
  for (const source of input.container.envFrom ?? []) await addAll(source, input, variables);
  for (const variable of input.container.env ?? []) {
    const value = await variableValue(variable, input, (name) => variables.get(name) ?? services.get(name));
    if (value !== undefined) variables.set(variable.name, value);
  }
  for (const [name, value] of services) if (!variables.has(name)) variables.set(name, value);
  return [...variables].map(([name, value]) => ({ name, value }));
}
