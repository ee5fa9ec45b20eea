/** Why a text is no JSON, in the words of Go's decoder. Slow: only for texts that `JSON.parse` has refused. */
export function jsonSyntaxError(text: string): string {
  try {
    new Checker(text).document();
  } catch (err) {
    if (err instanceof SyntaxProblem) return err.message;
    throw err;
  }
  return 'unexpected end of JSON input';
}

class SyntaxProblem extends Error {}

const endOfInput = 'unexpected end of JSON input';
const depthMax = 1000; // The caller has checked the depth already; this only guards the stack.
const escapes = new Set(['b', 'f', 'n', 'r', 't', '\\', '/', '"']);

/** Walks the grammar as Go's scanner does, to find the character at which it gives up. */
class Checker {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): void {
    this.#value();
    this.#space();
    if (this.#at < this.#text.length) this.#reject('after top-level value');
  }

  #space(): void {
    while (/[ \t\r\n]/.test(this.#text[this.#at] ?? '')) this.#at++;
  }

  #peek(): string {
    const char = this.#text[this.#at];
    if (char === undefined) throw new SyntaxProblem(endOfInput);
    return char;
  }

  #reject(context: string): never {
    throw new SyntaxProblem(`invalid character ${quoteChar(this.#peek())} ${context}`);
  }

  #value(): void {
    this.#space();
    const char = this.#peek();
    if (char === '{') this.#nest(() => this.#object());
    else if (char === '[') this.#nest(() => this.#array());
    else if (char === '"') this.#string();
    else if (char === '-' || /\d/.test(char)) this.#number();
    else if (char === 't') this.#literal('true');
    else if (char === 'f') this.#literal('false');
    else if (char === 'n') this.#literal('null');
    else this.#reject('looking for beginning of value');
  }

  #nest(inner: () => void): void {
    if (++this.#depth > depthMax) throw new SyntaxProblem('exceeded max depth');
    this.#at++;
    inner();
    this.#depth--;
  }

  #object(): void {
    this.#space();
    if (this.#peek() === '}') {
      this.#at++;
      return;
    }
    for (;;) {
      this.#space();
      if (this.#peek() !== '"') this.#reject('looking for beginning of object key string');
      this.#string();
      this.#space();
      if (this.#peek() !== ':') this.#reject('after object key');
      this.#at++;
      this.#value();
      this.#space();
      const next = this.#peek();
      if (next !== ',' && next !== '}') this.#reject('after object key:value pair');
      this.#at++;
      if (next === '}') return;
    }
  }

  #array(): void {
    this.#space();
    if (this.#peek() === ']') {
      this.#at++;
      return;
    }
    for (;;) {
      this.#value();
      this.#space();
      const next = this.#peek();
      if (next !== ',' && next !== ']') this.#reject('after array element');
      this.#at++;
      if (next === ']') return;
    }
  }

  #string(): void {
    this.#at++;
    for (;;) {
      const char = this.#peek();
      if (char < ' ') this.#reject('in string literal');
      this.#at++;
      if (char === '"') return;
      if (char === '\\') this.#escape();
    }
  }

  #escape(): void {
    const char = this.#peek();
    if (char !== 'u') {
      if (!escapes.has(char)) this.#reject('in string escape code');
      this.#at++;
      return;
    }
    this.#at++;
    for (let i = 0; i < 4; i++) {
      if (!/[0-9a-fA-F]/.test(this.#peek())) this.#reject('in \\u hexadecimal character escape');
      this.#at++;
    }
  }

  #digits(context: string): void {
    if (!/\d/.test(this.#peek())) this.#reject(context);
    while (/\d/.test(this.#text[this.#at] ?? '')) this.#at++;
  }

  #number(): void {
    if (this.#text[this.#at] === '-') this.#at++;
    if (!/\d/.test(this.#peek())) this.#reject('in numeric literal');
    if (this.#text[this.#at] === '0') this.#at++;
    else this.#digits('in numeric literal');
    if (this.#text[this.#at] === '.') {
      this.#at++;
      this.#digits('after decimal point in numeric literal');
    }
    if (/[eE]/.test(this.#text[this.#at] ?? '')) {
      this.#at++;
      if (/[+-]/.test(this.#peek())) this.#at++;
      this.#digits('in exponent of numeric literal');
    }
  }

  #literal(word: string): void {
    for (const expected of word) {
      if (this.#peek() !== expected) this.#reject(`in literal ${word} (expecting '${expected}')`);
      this.#at++;
    }
  }
}

/** Go reports the first byte of a multi-byte character, shown as if it were one. */
function quoteChar(char: string): string {
  if (char === "'") return "'\\''";
  if (char === '"') return `'"'`;
  const byte = Buffer.from(char)[0] ?? 0;
  if (byte < 0x20 || byte === 0x7f) return `'${controlEscapes[char] ?? `\\x${byte.toString(16).padStart(2, '0')}`}'`;
  if (byte < 0x80) return char === '\\' ? "'\\\\'" : `'${char}'`;
  return byte < 0xa0 || byte === 0xad ? `'\\u${byte.toString(16).padStart(4, '0')}'` : `'${String.fromCharCode(byte)}'`;
}

const controlEscapes: Readonly<Record<string, string>> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\u000b': '\\v',
};
