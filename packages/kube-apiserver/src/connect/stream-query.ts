/** The node agent's names for the streams of exec and attach. */
const names = [
  ['stdin', 'input'],
  ['stdout', 'output'],
  ['stderr', 'error'],
  ['tty', 'tty'],
] as const;

const isTrue = (value: string | null): boolean => value !== null && value !== '0' && value.toLowerCase() !== 'false';

/** What the node agent is asked: which streams, whether a terminal, and what to run. Source: streamParams. */
export function streamQuery(query: URLSearchParams, action: 'exec' | 'attach'): string {
  const out = new URLSearchParams();
  for (const [from, to] of names) if (isTrue(query.get(from))) out.set(to, '1');
  if (action === 'exec') for (const word of query.getAll('command')) out.append('command', word);
  return out.toString();
}
