import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseYaml } from '@orrery/apimachinery';
import type { Registries } from '@orrery/cri-oci';
import { CliError } from '../cli/command.ts';
import { writePrivateFile } from './instance.ts';

/** Where a cluster keeps its mirrors and credentials, in its data folder. */
export const registriesFile = (data: string): string => join(data, 'registries.yaml');

/** @throws {CliError} when the file cannot be read, or says something wrong: each problem with its field. */
export async function readRegistries(path: string): Promise<Registries> {
  const content = await readFile(path).catch((cause: unknown) => {
    throw new CliError(`cannot read the registries file ${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  });
  const { parseRegistries } = await import('@orrery/cri-oci');
  const { value } = await parseYaml(content).catch((cause: unknown) => {
    throw new CliError(`${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  });
  const { registries, problems } = parseRegistries(value);
  if (problems.length > 0) throw new CliError(problems.map((problem) => `${path}: ${problem.path}: ${problem.message}`).join('\n'));
  return registries;
}

/** Makes a user's file the cluster's own, so that `orrery image` and later starts use it too. */
export async function keepRegistries(path: string, data: string): Promise<void> {
  await readRegistries(path);
  await writePrivateFile(registriesFile(data), await readFile(path, 'utf8'));
}
