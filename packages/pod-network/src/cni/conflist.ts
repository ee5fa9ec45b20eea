import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PodNetworkError } from '../pod-network-error.ts';

export interface PluginConfig {
  readonly type: string;
  readonly capabilities?: Readonly<Record<string, boolean>>;
  readonly [key: string]: unknown;
}

/** A list of plugins that are called one after the other. */
export interface CniConfig {
  readonly name: string;
  readonly cniVersion: string;
  readonly disableCheck: boolean;
  readonly plugins: readonly PluginConfig[];
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
/** Becomes part of a path below the plugins' folder. */
const isPlugin = (value: unknown): value is PluginConfig =>
  isObject(value) && typeof value['type'] === 'string' && /^[A-Za-z0-9_.-]+$/.test(value['type']) && !value['type'].startsWith('.');

/** Reads a configuration, of one plugin or a list. @throws PodNetworkError `InvalidConfiguration` */
export function parseCniConfig(text: string, file: string): CniConfig {
  const refuse = (why: string): never => {
    throw new PodNetworkError('InvalidConfiguration', `CNI configuration ${file}: ${why}`);
  };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return refuse(`it is not JSON: ${(error as Error).message}`);
  }
  if (!isObject(value)) return refuse('it is not an object');
  const { name, cniVersion = '0.2.0', plugins = [value], disableCheck = false } = value;
  if (typeof name !== 'string' || name === '') return refuse('name is missing');
  if (typeof cniVersion !== 'string') return refuse('cniVersion is not a text');
  if (!Array.isArray(plugins) || plugins.length === 0 || !plugins.every(isPlugin)) return refuse('every plugin must have a type');
  return { name, cniVersion, plugins, disableCheck: disableCheck === true || disableCheck === 'true' };
}

/** The first configuration of a folder by name, as every runtime takes it; undefined where there is none. @throws PodNetworkError `InvalidConfiguration` */
export function loadCniConfig(directory: string): CniConfig | undefined {
  let files: string[];
  try {
    files = readdirSync(directory);
  } catch {
    return undefined; // No folder, no configuration.
  }
  const [first] = files.filter((file) => /\.(conf|conflist|json)$/.test(file)).sort();
  return first === undefined ? undefined : parseCniConfig(readFileSync(join(directory, first), 'utf8'), first);
}
