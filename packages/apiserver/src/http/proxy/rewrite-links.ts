/** Moves links of a web page that stands at the root of its host below the path at which the proxy shows it. */
export interface LinkRewriter {
  /** One link; others' links and relative ones stay. */
  link(url: string): string;
  /** A piece of HTML. A tag that is cut off at its end is kept for the next piece. */
  html(piece: string): string;
  /** What was kept. */
  end(): string;
}

/** Attributes that hold links, by element. Source: the HTML specification's index of attributes. */
const linkAttributes: Readonly<Record<string, readonly string[]>> = {
  a: ['href'],
  area: ['href'],
  audio: ['src'],
  base: ['href'],
  blockquote: ['cite'],
  body: ['background'],
  button: ['formaction'],
  del: ['cite'],
  embed: ['src'],
  form: ['action'],
  frame: ['longdesc', 'src'],
  iframe: ['longdesc', 'src'],
  img: ['longdesc', 'src', 'usemap'],
  input: ['src', 'usemap', 'formaction'],
  ins: ['cite'],
  link: ['href'],
  object: ['classid', 'codebase', 'data', 'usemap'],
  q: ['cite'],
  script: ['src'],
  source: ['src'],
  track: ['src'],
  video: ['poster', 'src'],
};

/** Longest tag that is looked into, in characters; a longer one passes unchanged. */
const tagCharactersMax = 64 * 1024;

/**
 * @param below - The proxy's path, without a slash at its end.
 * @param ownHosts - `host` or `host:port` under which the target, and the proxy, are known: their links are moved, others' are not.
 */
export function newLinkRewriter(below: string, ownHosts: readonly string[]): LinkRewriter {
  let kept = '';
  const link = (url: string): string => {
    const match = /^(?:[a-z][a-z0-9+.-]*:)?\/\/([^/?#]*)(.*)$/is.exec(url);
    if (match !== null && !ownHosts.includes(match[1] ?? '')) return url;
    const path = match === null ? url : match[2] === '' ? '/' : (match[2] ?? '');
    if (!path.startsWith('/')) return url;
    return path === below || path.startsWith(`${below}/`) ? path : `${below}${path}`;
  };
  const tag = (text: string, element: string): string => {
    const attributes = linkAttributes[element.toLowerCase()];
    if (attributes === undefined) return text;
    const pattern = /(\s)([a-z]+)(\s*=\s*)("([^"]*)"|'([^']*)'|([^\s"'>]+))/gi;
    return text.replace(
      pattern,
      (whole: string, space: string, name: string, equals: string, _value: string, ...values: (string | undefined)[]) => {
        if (!attributes.includes(name.toLowerCase())) return whole;
        const [double, single, bare] = values;
        const quote = double !== undefined ? '"' : single !== undefined ? "'" : '"';
        return `${space}${name}${equals}${quote}${link(double ?? single ?? bare ?? '')}${quote}`;
      },
    );
  };
  return {
    link,
    html(piece) {
      const text = kept + piece;
      const open = text.lastIndexOf('<');
      const cut = open > text.lastIndexOf('>') && text.length - open < tagCharactersMax ? open : text.length;
      kept = text.slice(cut);
      return text.slice(0, cut).replace(/<([a-z][a-z0-9]*)\b[^>]*>/gi, tag);
    },
    end() {
      const rest = kept;
      kept = '';
      return rest;
    },
  };
}
