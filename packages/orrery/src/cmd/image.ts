import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isRuntimeError } from '@orrery/cri';
import type { ImageRecord, ImageStore, Registries } from '@orrery/cri-oci';
import { type CliContext, CliError, defineCommand, exitCodes, stringFlag, UsageError } from '../cli/command.ts';
import { type Home, homeOf, homeOptions } from '../cli/home.ts';
import { readRegistries, registriesFile } from '../cluster/registries.ts';
import { hasInnerFiles, runInside } from '../rootless/inner-commands.ts';

type Verb = 'load' | 'ls' | 'pull' | 'rm';
interface ImageOptions {
  readonly home: Home;
  readonly verb: Verb;
  readonly subjects: readonly string[];
  readonly output: string;
}

const verbs: readonly string[] = ['load', 'ls', 'pull', 'rm'] satisfies readonly Verb[];
const isVerb = (text: string | undefined): text is Verb => text !== undefined && verbs.includes(text);

/** Works on the store itself, which any number of processes may use: whether the node runs makes no difference. */
export const imageCommand = defineCommand<ImageOptions>({
  name: 'image',
  short: 'Load, list, pull and remove the images of a cluster or a node',
  arguments: '(load <file|dir|-> | ls | pull <image> | rm <image>)...',
  options: {
    ...homeOptions,
    output: {
      type: 'string',
      short: 'o',
      placeholder: '<format>',
      default: 'table',
      description: 'how ls prints',
      choices: ['table', 'wide', 'json', 'yaml'],
    },
  },
  examples: [
    ['docker save app:1 | orrery image load -', 'An archive from standard input'],
    ['orrery image load app.tar', 'An archive of docker save, or an OCI layout'],
    ['orrery image ls -o json', 'What the node has'],
    ['orrery image load app.tar --node-name worker', 'On a machine that joined a cluster'],
  ],
  complete(parsed, { paths }) {
    const [verb, ...subjects] = parsed.positionals;
    if (!isVerb(verb)) throw new UsageError(`image: expected one of ${verbs.join(', ')}`);
    if (verb === 'ls' && subjects.length > 0) throw new UsageError(`unexpected argument ${JSON.stringify(subjects[0])}`);
    if (verb !== 'ls' && subjects.length === 0)
      throw new UsageError(`image ${verb}: expected ${verb === 'load' ? 'a file, a directory or "-"' : 'an image'}`);
    return { home: homeOf(parsed, paths), verb, subjects, output: stringFlag(parsed.flags['output']) ?? 'table' };
  },
  async run({ home, verb, subjects, output }, context, signal) {
    const { data, node } = home.paths;
    if (!existsSync(data)) throw new CliError(`${home.label} is not there: start it with "${home.start}"`);
    if (home.cluster !== undefined && hasInnerFiles(home.paths)) {
      const argv = [...context.self, 'image', verb, `--name=${home.cluster}`, `--output=${output}`, '--', ...subjects];
      return runInside(argv, home.paths, context, process.cwd());
    }
    const { openImageStore } = await import('@orrery/cri-oci');
    const { clock, random } = context;
    try {
      const store = await openImageStore({ directory: join(node, 'images'), clock, random, registries: await registriesOf(data) });
      if (verb === 'ls') await printImages(store.list(), output, context);
      for (const subject of subjects) for (const line of await apply(store, verb, subject, signal)) context.out.write(`${line}\n`);
      await store.close();
      return exitCodes.ok;
    } catch (err) {
      if (isRuntimeError(err)) throw new CliError(err.message, { cause: err });
      throw err;
    }
  },
});

/** Mirrors and credentials, where the cluster has a file of them. */
async function registriesOf(data: string): Promise<Registries | undefined> {
  const path = registriesFile(data);
  return existsSync(path) ? readRegistries(path) : undefined;
}

const nameOf = ({ repoTags, repoDigests, id }: ImageRecord): string => repoTags[0] ?? repoDigests[0] ?? id;

async function apply(store: ImageStore, verb: Verb, subject: string, signal: AbortSignal): Promise<string[]> {
  if (verb === 'pull') return [`pulled ${nameOf(await store.pull({ reference: subject, signal }))}`];
  if (verb === 'load')
    return (await store.load(subject === '-' ? process.stdin : subject, { signal })).map((image) => `loaded ${nameOf(image)}`);
  if (store.resolve(subject) === undefined) throw new CliError(`image ${subject} not found`);
  await store.remove(subject);
  return [`removed ${subject}`];
}

async function printImages(images: readonly ImageRecord[], output: string, { out }: CliContext): Promise<void> {
  if (output === 'json') return out.write(`${JSON.stringify(images, undefined, 2)}\n`);
  if (output === 'yaml') {
    const { stringify } = await import('yaml');
    return out.write(stringify(images));
  }
  const wide = output === 'wide';
  const rows = images.flatMap((image) => {
    const names = image.repoTags.length > 0 ? image.repoTags : [image.repoDigests[0] ?? '<none>'];
    return names.map((name) => [
      name,
      wide ? image.id : image.id.slice(7, 19),
      `${(image.sizeBytes / 1e6).toFixed(1)}MB`,
      ...(wide ? [image.repoDigests.join(',')] : []),
    ]);
  });
  const all = [['IMAGE', 'ID', 'SIZE', ...(wide ? ['DIGESTS'] : [])], ...rows];
  const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0))) ?? [];
  for (const row of all)
    out.write(
      `${row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('   ')
        .trimEnd()}\n`,
    );
}
