import { readFile } from 'node:fs/promises';
import type { Json } from '@orrery/apimachinery';
import { emptyImageMap, type ImageMap, ImageMapError, parseImageMap } from '@orrery/cri-process';
import { CliError } from '../cli/command.ts';
import type { RuntimeDriver } from './drivers/driver.ts';
import { ociDriver } from './drivers/oci-driver.ts';
import { processDriver } from './drivers/process-driver.ts';
import { remoteDriver } from './drivers/remote-driver.ts';

/** Every runtime driver, the best one first. Adding one: its package `cri-<name>`, its file in `drivers/`, and a line here. */
const runtimeDrivers: readonly RuntimeDriver[] = [ociDriver, remoteDriver, processDriver];

export interface ChosenDriver {
  readonly driver: RuntimeDriver;
  readonly wanted?: string;
  /** Why a better one was not taken. */
  readonly notes: readonly string[];
}

/**
 * By what the user says: nothing (the best one that works), `process`, `oci`, `crun`, `runc`, a path of one of the two, or `unix://…`.
 *
 * @throws {CliError} when there is no such driver, or it does not work here.
 */
export async function chooseDriver(asked: string | undefined, environment: Readonly<Record<string, string>>): Promise<ChosenDriver> {
  if (asked === undefined) {
    const problem = await ociDriver.problem({ environment });
    if (problem === undefined) return { driver: ociDriver, notes: [] };
    return { driver: processDriver, notes: [`no containers: ${problem}`] };
  }
  const chosen = driverNamed(asked);
  if (chosen === undefined) {
    throw new CliError(
      `--runtime ${JSON.stringify(asked)}: must be process, oci, crun, runc, the path of one, or unix:///path/of/a/cri.sock`,
    );
  }
  const problem = await chosen.driver.problem({ environment, wanted: chosen.wanted });
  if (problem !== undefined) throw new CliError(`--runtime ${asked}: ${problem}`);
  return chosen;
}

function driverNamed(asked: string): ChosenDriver | undefined {
  if (asked.startsWith('unix://')) return { driver: remoteDriver, wanted: asked, notes: [] };
  const driver = runtimeDrivers.find(({ name }) => name === asked && name !== remoteDriver.name);
  if (driver !== undefined) return { driver, notes: [] };
  return asked === 'crun' || asked === 'runc' || asked.startsWith('/') ? { driver: ociDriver, wanted: asked, notes: [] } : undefined;
}

/** @throws {CliError} when the file cannot be read or says something wrong. */
export async function readImageMap(path: string | undefined): Promise<ImageMap> {
  if (path === undefined) return emptyImageMap;
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new CliError(`cannot read the image map ${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  });
  const { parse } = await import('yaml');
  try {
    return parseImageMap(parse(text) as Json);
  } catch (cause) {
    if (cause instanceof ImageMapError || cause instanceof SyntaxError || (cause instanceof Error && cause.name === 'YAMLParseError')) {
      throw new CliError(`the image map ${path} is wrong: ${cause.message}`, { cause });
    }
    throw cause;
  }
}
