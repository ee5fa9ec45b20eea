import type { Registries, RegistryHostConfig, RegistryMirror } from './registries.ts';

type Fields = Readonly<Record<string, unknown>>;

/** A registries configuration that cannot be used; `path` names the field. */
export interface RegistriesProblem {
  readonly path: string;
  readonly message: string;
}

/**
 * Checks a parsed `registries.yaml` in k3s's form (`mirrors`, `configs`), with
 * `stall_timeout_seconds` beside `auth` and `tls` of our own. Plain HTTP is used only for endpoints written `http://…`.
 * Fields of other names are problems too: a misspelt one would silently do nothing.
 */
export function parseRegistries(document: unknown): { readonly registries: Registries; readonly problems: readonly RegistriesProblem[] } {
  const problems: RegistriesProblem[] = [];
  const tell = (path: string, message: string): undefined => {
    problems.push({ path, message });
    return undefined;
  };
  const fields = (value: unknown, path: string, known?: readonly string[]): Fields => {
    if (value === undefined || value === null) return {};
    if (typeof value !== 'object' || Array.isArray(value)) return tell(path, 'must be a map') ?? {};
    for (const key of Object.keys(value))
      if (known !== undefined && !known.includes(key)) tell(`${path === '' ? '' : `${path}.`}${key}`, 'unknown field');
    return value as Fields;
  };
  const text = (from: Fields, key: string, path: string): string | undefined => {
    const value = from[key];
    if (value === undefined || value === null) return undefined;
    return typeof value === 'string' ? value : tell(`${path}.${key}`, 'must be a string');
  };

  function endpoint(value: unknown, path: string): URL[] {
    if (typeof value !== 'string' || value === '') return tell(path, 'must be a URL') ?? [];
    const url = parsedUrl(/^\w+:\/\//.test(value) ? value : `https://${value}`);
    if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:'))
      return tell(path, 'must be a URL of http:// or https://') ?? [];
    url.pathname = `${url.pathname.replace(/\/v2\/?$/, '').replace(/\/+$/, '')}/`;
    return [url];
  }

  function rewriteOf(pattern: string, replacement: unknown, path: string): RegistryMirror['rewrites'] {
    if (typeof replacement !== 'string') return tell(path, 'must be a string') ?? [];
    try {
      return [{ pattern: new RegExp(pattern), replacement }];
    } catch {
      return tell(path, 'must be a regular expression') ?? [];
    }
  }

  function mirror(value: unknown, path: string): RegistryMirror {
    const { endpoint: list = [], rewrite } = fields(value, path, ['endpoint', 'rewrite']);
    const endpoints = Array.isArray(list)
      ? list.flatMap((each, at) => endpoint(each, `${path}.endpoint[${at}]`))
      : (tell(`${path}.endpoint`, 'must be a list') ?? []);
    const rewrites = Object.entries(fields(rewrite, `${path}.rewrite`)).flatMap(([key, to]) =>
      rewriteOf(key, to, `${path}.rewrite[${key}]`),
    );
    return { endpoints, rewrites };
  }

  function host(value: unknown, path: string): RegistryHostConfig {
    const all = fields(value, path, ['auth', 'tls', 'stall_timeout_seconds']);
    const auth = fields(all['auth'], `${path}.auth`, ['username', 'password', 'auth', 'identity_token']);
    const tls = fields(all['tls'], `${path}.tls`, ['ca_file', 'cert_file', 'key_file', 'insecure_skip_verify']);
    const stallSeconds = all['stall_timeout_seconds'];
    if (stallSeconds !== undefined && !(typeof stallSeconds === 'number' && stallSeconds > 0))
      tell(`${path}.stall_timeout_seconds`, 'must be a number greater than 0');
    const skip = tls['insecure_skip_verify'];
    if (skip !== undefined && typeof skip !== 'boolean') tell(`${path}.tls.insecure_skip_verify`, 'must be true or false');
    const named = <K extends string>(entries: readonly (readonly [K, string | undefined])[]): { [key in K]?: string } =>
      Object.fromEntries(entries.filter(([, each]) => each !== undefined)) as { [key in K]?: string };
    const credentials = (
      [
        ['username', 'username'],
        ['password', 'password'],
        ['auth', 'auth'],
        ['identityToken', 'identity_token'],
      ] as const
    ).map(([to, key]) => [to, text(auth, key, `${path}.auth`)] as const);
    const files = (
      [
        ['caFile', 'ca_file'],
        ['certFile', 'cert_file'],
        ['keyFile', 'key_file'],
      ] as const
    ).map(([to, key]) => [to, text(tls, key, `${path}.tls`)] as const);
    return {
      auth: named(credentials),
      tls: { ...named(files), insecureSkipVerify: skip === true },
      ...(typeof stallSeconds === 'number' && stallSeconds > 0 ? { stallTimeoutMs: stallSeconds * 1000 } : {}),
    };
  }

  const root = fields(document, '', ['mirrors', 'configs']);
  const mirrors = new Map(
    Object.entries(fields(root['mirrors'], 'mirrors')).map(([name, value]) => [name, mirror(value, `mirrors[${name}]`)] as const),
  );
  const configs = new Map(
    Object.entries(fields(root['configs'], 'configs')).map(([name, value]) => [name, host(value, `configs[${name}]`)] as const),
  );
  return { registries: { mirrors, configs }, problems };
}

function parsedUrl(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}
