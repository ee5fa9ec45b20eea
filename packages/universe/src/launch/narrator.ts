import type { LaunchIo } from './launch-io.ts';

/** What the user sees of a run. Lines of the program go to standard output, everything else to standard error. */
export interface Narrator {
  say(text: string): void;
  /** The same text about the same thing is said once. */
  problem(about: string, text: string): void;
  /** It is well again: the next problem is news. */
  well(about: string): void;
  line(cluster: string, pod: string, text: string): void;
}

const colours = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94];

/** @param prefixed - Lines begin with the pod that said them. @param several - And with its cluster. */
export function newNarrator(
  { out, err, isTerminal }: Pick<LaunchIo, 'out' | 'err' | 'isTerminal'>,
  { prefixed, several, grep }: { readonly prefixed: boolean; readonly several: boolean; readonly grep: RegExp | undefined },
): Narrator {
  const prefixes = new Map<string, string>();
  const problems = new Map<string, string>();
  const prefixOf = (cluster: string, pod: string): string => {
    const key = `${cluster}/${pod}`;
    const known = prefixes.get(key);
    if (known !== undefined) return known;
    const name = `${several ? `${cluster} ` : ''}${pod.split('-').at(-1) ?? pod} | `;
    const colour = colours[prefixes.size % colours.length];
    const made = isTerminal ? `\u001b[${colour}m${name}\u001b[0m` : name;
    prefixes.set(key, made);
    return made;
  };
  return {
    say: (text) => err(`${text}\n`),
    problem(about, text) {
      if (problems.get(about) === text) return;
      problems.set(about, text);
      err(`! ${about}: ${text}\n`);
    },
    well: (about) => void problems.delete(about),
    line(cluster, pod, text) {
      if (grep?.test(text) === false) return;
      out(`${prefixed ? prefixOf(cluster, pod) : ''}${text}\n`);
    },
  };
}
