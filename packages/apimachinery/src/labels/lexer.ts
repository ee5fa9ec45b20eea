/** A piece of a label selector's text. `end` is always the last. */
export interface Token {
  readonly kind: 'identifier' | 'end' | ')' | ',' | '!' | '==' | '=' | '>' | 'in' | '<' | '!=' | 'notin' | '(';
  readonly text: string;
}

const symbols: ReadonlySet<string> = new Set([')', ',', '!', '==', '=', '>', '<', '!=', '(']);
const special = /[=!(),<>]/;
const white = /[ \t\r\n]/;

/** Splits a label selector. A NUL ends the text, as upstream's reader has it. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  for (;;) {
    while (at < text.length && white.test(text.charAt(at))) at++;
    const char = text.charAt(at);
    if (char === '' || char === '\0') break;
    const token = special.test(char) ? symbolAt(text, at) : wordAt(text, at);
    tokens.push(token);
    at += token.text.length;
    if (token.kind === 'identifier' || token.kind === 'in' || token.kind === 'notin') {
      if (text.charAt(at) === '\0') at++;
    }
  }
  tokens.push({ kind: 'end', text: '' });
  return tokens;
}

function symbolAt(text: string, at: number): Token {
  const pair = text.slice(at, at + 2);
  const symbol = symbols.has(pair) ? pair : text.charAt(at);
  return { kind: symbol as Token['kind'], text: symbol };
}

function wordAt(text: string, at: number): Token {
  let end = at;
  while (end < text.length && text.charAt(end) !== '\0' && !special.test(text.charAt(end)) && !white.test(text.charAt(end))) end++;
  const word = text.slice(at, end);
  return { kind: word === 'in' || word === 'notin' ? word : 'identifier', text: word };
}
