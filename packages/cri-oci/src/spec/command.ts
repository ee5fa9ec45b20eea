import { type ContainerConfig, RuntimeError } from '@orrery/cri';
import type { ImageConfig } from '../images/image-record.ts';

/**
 * What a container runs. A command of the pod replaces both the image's entrypoint and its arguments; arguments alone replace only the
 * image's arguments (Kubernetes: "Define a Command and Arguments for a Container").
 *
 * @throws {RuntimeError} `INVALID_ARGUMENT` when neither the pod nor the image says what to run.
 */
export function containerCommand({ command = [], args = [] }: ContainerConfig, image: ImageConfig): readonly string[] {
  const words = command.length > 0 ? [...command, ...args] : [...(image.Entrypoint ?? []), ...(args.length > 0 ? args : (image.Cmd ?? []))];
  if (words.length === 0) throw new RuntimeError('INVALID_ARGUMENT', 'no command specified');
  return words;
}

/** An absolute path. The runtime makes it when the image does not have it. */
export function workingDirectory({ workingDir = '' }: ContainerConfig, image: ImageConfig): string {
  const path = workingDir === '' ? (image.WorkingDir ?? '') : workingDir;
  return path === '' ? '/' : path.startsWith('/') ? path : `/${path}`;
}

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export interface EnvironmentInput {
  readonly image: ImageConfig;
  /** The pod's, already as text; these win. */
  readonly own: Readonly<Record<string, string>>;
  readonly hostname: string;
  readonly tty: boolean;
}

/** `NAME=value` words: defaults, then the image's, then the pod's; each name once, at the place of its first mention. */
export function containerEnvironment({ image, own, hostname, tty }: EnvironmentInput): readonly string[] {
  const merged = new Map<string, string>([['PATH', DEFAULT_PATH]]);
  merged.set('HOSTNAME', hostname);
  if (tty) merged.set('TERM', 'xterm');
  for (const word of image.Env ?? []) {
    const cut = word.indexOf('=');
    merged.set(cut < 0 ? word : word.slice(0, cut), cut < 0 ? '' : word.slice(cut + 1));
  }
  for (const [name, value] of Object.entries(own)) merged.set(name, value);
  return [...merged].map(([name, value]) => `${name}=${value}`);
}
