import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Json } from '@orrery/apimachinery';
import type { Clock, Random } from '@orrery/base';
import type { Runtime } from '@orrery/cri';
import { emptyImageMap, type ImageMap, ImageMapError, openProcessRuntime, parseImageMap } from '@orrery/cri-process';
import { CliError } from '../cli/command.ts';

export interface RuntimeOptions {
  readonly directory: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly imageMap: ImageMap;
  /** PATH, HOME and the like for containers. */
  readonly environment: Readonly<Record<string, string>>;
  readonly hostAddress: string;
}

export interface OpenedRuntime {
  readonly name: string;
  readonly runtime: Runtime;
  /** What is missing on this machine, for people; said once. */
  readonly notes: readonly string[];
}

export interface RuntimeDriver {
  readonly name: string;
  open(options: RuntimeOptions): Promise<OpenedRuntime>;
}

/** Every runtime driver. Adding one: its package `cri-<name>`, and a line here. */
export const runtimeDrivers: readonly RuntimeDriver[] = [
  {
    name: 'process',
    async open(options) {
      const runtime = await openProcessRuntime({ ...options, directory: join(options.directory, 'process') });
      return {
        name: 'process',
        runtime,
        notes: [...runtime.host.notes, 'cpu and memory limits are not enforced: pods run as plain processes'],
      };
    },
  },
];

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
