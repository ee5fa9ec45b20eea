/**
 * Replaces `$(NAME)` by the variable's value; `$$` is a literal dollar; a name that is not known, and syntax that is not one, stays
 * as it stands. Source: k8s.io/kubernetes/third_party/forked/golang/expansion.
 */
export function expand(text: string, lookup: (name: string) => string | undefined): string {
  let out = '';
  let at = 0;
  while (at < text.length) {
    const dollar = text.indexOf('$', at);
    if (dollar < 0 || dollar + 1 >= text.length) return out + text.slice(at);
    out += text.slice(at, dollar);
    const next = text[dollar + 1];
    const close = next === '(' ? text.indexOf(')', dollar + 2) : -1;
    if (next === '$') {
      out += '$';
      at = dollar + 2;
    } else if (next === '(' && close >= 0) {
      const name = text.slice(dollar + 2, close);
      out += lookup(name) ?? `$(${name})`;
      at = close + 1;
    } else if (next === '(') {
      out += '$(';
      at = dollar + 2;
    } else {
      out += `$${next ?? ''}`;
      at = dollar + 2;
    }
  }
  return out;
}

/** Names that `$(NAME)` refers to in `text` and that `lookup` does not know. */
export function missingReferences(text: string, lookup: (name: string) => string | undefined): readonly string[] {
  const missing: string[] = [];
  expand(text, (name) => {
    const value = lookup(name);
    if (value === undefined) missing.push(name);
    return value;
  });
  return missing;
}
