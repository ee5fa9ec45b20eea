import type { Action, ActionResult, Message } from '../src/protocol.ts';
import { KEY_HEADER } from '../src/protocol.ts';
import { receive, setUi } from './state.ts';

/** Kept in the tab, for a reload: only scripts of this origin, port included, read it. */
const KEY_NAME = 'orrery-key';
/** A tab that nobody sees stops looking after so long; then nobody polls metrics for it. */
const HIDDEN_MS = 20_000;
/** Reading goes on in another task after so long, so that the page answers in between. */
const SLICE_MS = 8;

let key = '';

/** Trades the token of the address for a cookie and a key, once. False: neither is there. */
export async function enter(): Promise<boolean> {
  const token = location.hash.slice(1);
  if (token !== '') {
    history.replaceState(null, '', '/');
    const response = await fetch('/api/enter', { method: 'POST', body: token });
    if (response.ok) sessionStorage.setItem(KEY_NAME, ((await response.json()) as { readonly key: string }).key);
  }
  key = sessionStorage.getItem(KEY_NAME) ?? '';
  return key !== '';
}

const headers = (): Record<string, string> => ({ [KEY_HEADER]: key });

export async function act(action: Action): Promise<void> {
  let result: ActionResult;
  try {
    const response = await fetch('/api/action', { method: 'POST', headers: headers(), body: JSON.stringify(action) });
    const text = await response.text();
    result = text.startsWith('{') ? (JSON.parse(text) as ActionResult) : { ok: false, message: text };
  } catch {
    result = { ok: false, message: 'the dashboard does not answer: does it still run?' };
  }
  setUi({ toast: { text: result.message, ok: result.ok } });
}

/** Calls `append` with the log's text as it comes, until the signal aborts or the log ends. Returns why it ended; empty for by itself. */
export async function followLog(query: Record<string, string>, append: (text: string) => void, signal: AbortSignal): Promise<string> {
  try {
    const response = await fetch(`/api/log?${new URLSearchParams(query)}`, { headers: headers(), signal });
    if (!response.ok) return (await response.text()).trim();
    for await (const text of texts(response)) append(text);
    return '';
  } catch (err) {
    return signal.aborted ? '' : String(err instanceof Error ? err.message : err);
  }
}

async function* texts(response: Response): AsyncGenerator<string> {
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  while (reader !== undefined) {
    const { done, value } = await reader.read();
    if (done) return;
    yield decoder.decode(value, { stream: true });
  }
}

/** Looks as long as the page is seen; begins again when the link breaks. */
export async function keepLooking(): Promise<never> {
  for (;;) {
    if (document.hidden) await shown();
    const stop = new AbortController();
    const unwatch = abortWhenHidden(stop);
    const status = await look(stop.signal).catch(() => 0);
    unwatch();
    if (status === 401) {
      setUi({ link: 'locked' });
      sessionStorage.removeItem(KEY_NAME);
      await new Promise(() => undefined);
    }
    if (stop.signal.aborted) continue;
    setUi({ link: 'lost' });
    await pause(1_000);
  }
}

async function look(signal: AbortSignal): Promise<number> {
  const response = await fetch('/api/stream', { headers: headers(), signal });
  if (!response.ok) return response.status;
  setUi({ link: 'open' });
  let rest = '';
  let sliceEndMs = performance.now() + SLICE_MS;
  for await (const text of texts(response)) {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      receive(JSON.parse(line) as Message);
      if (performance.now() < sliceEndMs) continue;
      await pause(0);
      sliceEndMs = performance.now() + SLICE_MS;
    }
  }
  return response.status;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => window.setTimeout(resolve, ms));

function shown(): Promise<void> {
  return new Promise((resolve) => {
    const check = (): void => {
      if (document.hidden) return;
      document.removeEventListener('visibilitychange', check);
      resolve();
    };
    document.addEventListener('visibilitychange', check);
  });
}

function abortWhenHidden(stop: AbortController): () => void {
  let timer = 0;
  const check = (): void => {
    window.clearTimeout(timer);
    if (document.hidden) timer = window.setTimeout(() => stop.abort(), HIDDEN_MS);
  };
  document.addEventListener('visibilitychange', check);
  return () => {
    window.clearTimeout(timer);
    document.removeEventListener('visibilitychange', check);
  };
}
