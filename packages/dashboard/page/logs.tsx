import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { formatCount } from '../src/model/format.ts';
import { newLogLines } from '../src/model/log-lines.ts';
import { rowWindow } from '../src/model/table.ts';
import { followLog } from './link.ts';
import { setUi, store } from './state.ts';

const LINE_HEIGHT = 18;

/** The log of one container, followed; only the lines in sight exist. */
export function LogDock({ id, container }: { readonly id: string; readonly container: string }) {
  const pod = store.pods.get(id);
  const [previous, setPrevious] = useState(false);
  const [grep, setGrep] = useState('');
  const { log, ended } = useLog(id, container, previous);
  const wanted = grep.toLowerCase();
  const lines = wanted === '' ? log.lines : log.lines.filter(({ text }) => text.toLowerCase().includes(wanted));
  return (
    <section class="dock" aria-label={`Log of ${pod?.name ?? 'a pod'}`}>
      <div class="dock-bar">
        <b>{pod?.name ?? 'a pod that is gone'}</b>
        <select aria-label="Container" value={container} onChange={(event) => setUi({ log: { id, container: event.currentTarget.value } })}>
          {(pod?.containers ?? []).map(({ name }) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
        <label>
          <input type="checkbox" checked={previous} onChange={(event) => setPrevious(event.currentTarget.checked)} /> before the last
          restart
        </label>
        <input
          type="search"
          placeholder="Only lines with…"
          aria-label="Only lines with this text"
          value={grep}
          onInput={(event) => setGrep(event.currentTarget.value)}
        />
        <span class="facts grow">
          {formatCount(lines.length)} lines{log.dropped > 0 && `, ${formatCount(log.dropped)} older ones let go`}
          {ended !== undefined && (ended === '' ? ' · the log has ended' : ` · ${ended}`)}
        </span>
        <button type="button" class="close" aria-label="Close the log" onClick={() => setUi({ log: undefined })}>
          ×
        </button>
      </div>
      <Lines lines={lines} />
    </section>
  );
}

function useLog(id: string, container: string, previous: boolean) {
  // A new buffer for each log: the old one's late text has nowhere to go.
  const log = useMemo(() => newLogLines(), [id, container, previous]);
  const [ended, setEnded] = useState<string | undefined>(undefined);
  const [, draw] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    let asked = 0;
    setEnded(undefined);
    const append = (text: string): void => {
      log.append(text);
      asked ||= requestAnimationFrame(() => {
        asked = 0;
        draw((count) => count + 1);
      });
    };
    const query = { id, container, ...(previous ? { previous: 'true' } : {}) };
    void followLog(query, append, stop.signal).then((why) => {
      if (!stop.signal.aborted) setEnded(why);
    });
    return () => {
      stop.abort();
      cancelAnimationFrame(asked);
    };
  }, [log]);
  return { log, ended };
}

/** Stays at the end as long as the reader is there. */
function Lines({ lines }: { readonly lines: readonly { readonly at: string; readonly text: string }[] }) {
  const scroller = useRef<HTMLDivElement>(null);
  const following = useRef(true);
  const [sight, setSight] = useState({ top: 0, height: 400 });
  const look = (): void => {
    const element = scroller.current;
    if (element === null) return;
    following.current = element.scrollTop + element.clientHeight >= element.scrollHeight - 2 * LINE_HEIGHT;
    setSight({ top: element.scrollTop, height: element.clientHeight });
  };
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element !== null && following.current) element.scrollTop = element.scrollHeight;
  });
  const { first, end } = rowWindow(sight.top, sight.height, LINE_HEIGHT, lines.length, 20);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by the keyboard
    <div class="lines" ref={scroller} onScroll={look} tabIndex={0} role="log" aria-live="off">
      <div style={{ height: `${lines.length * LINE_HEIGHT}px`, position: 'relative' }}>
        {lines.slice(first, end).map(({ at, text }, index) => (
          <div key={first + index} class="line" style={{ top: `${(first + index) * LINE_HEIGHT}px` }}>
            <time>{at.slice(11, 23)}</time>
            {text}
          </div>
        ))}
      </div>
    </div>
  );
}
