/** Variables of this process that a pod's commands begin with; nothing else of the user's environment reaches a pod. */
const passed = ['PATH', 'HOME', 'LANG', 'TZ', 'TMPDIR'];

export function containerEnvironment(env: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  return Object.fromEntries(passed.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}
