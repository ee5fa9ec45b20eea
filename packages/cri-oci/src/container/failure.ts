const quoted = /executable file [`'"]?([^`'"]+)[`'"]? not found in \$PATH/;

/**
 * A runtime's message in the words that users of Kubernetes know, which are runc's: `exec: "sh": executable file not found in $PATH`.
 * Log prefixes and what only tells of the runtime's inside are dropped.
 */
export function startFailure(message: string, program: string): string {
  const lines = message
    .split('\n')
    .map(plainText)
    .filter((line) => line !== '');
  const text = lines.at(-1) ?? message;
  const missing = quoted.exec(text);
  if (missing !== null && !text.includes('exec: "')) return missingProgram(missing[1] ?? program);
  const known = /exec: ".*/.exec(text);
  if (known !== null) return known[0];
  // crun: open executable: Permission denied; exec `x`: …
  if (/^(open|exec)( executable)?\b.*: (Permission denied|No such file or directory|Exec format error)/i.test(text)) {
    const reason = (text.split(': ').at(-1) ?? text).toLowerCase();
    return `exec: ${JSON.stringify(program)}: ${reason}`;
  }
  return text;
}

const missingProgram = (name: string): string =>
  `exec: ${JSON.stringify(name)}: ${name.includes('/') ? `stat ${name}: no such file or directory` : 'executable file not found in $PATH'}`;

/** Text of a log line: logfmt as runc writes it, JSON, or plain. */
function plainText(line: string): string {
  const trimmed = line.trim();
  if (trimmed.startsWith('{')) {
    try {
      const { msg } = JSON.parse(trimmed) as { readonly msg?: string };
      return msg ?? trimmed;
    } catch {
      return trimmed;
    }
  }
  const logfmt = /^time="[^"]*" level=\w+ msg=("(?:[^"\\]|\\.)*")/.exec(trimmed);
  if (logfmt?.[1] === undefined) return trimmed;
  try {
    return String(JSON.parse(logfmt[1]));
  } catch {
    return logfmt[1];
  }
}
