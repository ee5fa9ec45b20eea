import { useEffect, useRef } from 'preact/hooks';
import { Details } from './details.tsx';
import { Header } from './header.tsx';
import { LogDock } from './logs.tsx';
import { Overview } from './overview.tsx';
import { PodTable } from './pod-table.tsx';
import { isLogOpen, setUi, store, useTopics, useUi } from './state.ts';
import { WorkloadTable } from './workload-table.tsx';

export function App() {
  const { link, view, selected, log } = useUi();
  useTopics('clusters');
  useKeys();
  if (link === 'locked') return <Locked />;
  if (store.hello === undefined) return <p class="opening">Opening…</p>;
  document.title = `${store.hello.title} · ${store.clusters.map(({ name }) => name).join(', ')}`;
  return (
    <div class={`page ${selected === '' ? '' : 'with-details'}`}>
      <Header />
      {link === 'lost' && (
        <p class="banner bad" role="alert">
          The dashboard does not answer. What you see is the last it told; trying again…
        </p>
      )}
      <div class="body">
        <main id="main">
          {view === 'map' && <Overview />}
          {view === 'pods' && <PodTable />}
          {view === 'workloads' && <WorkloadTable />}
        </main>
        {selected !== '' && <Details key={selected} />}
      </div>
      {log !== undefined && <LogDock key={`${log.id} ${log.container}`} id={log.id} container={log.container} />}
      <Toast />
    </div>
  );
}

function Locked() {
  return (
    <div class="locked">
      <img src="/icon.svg" width="72" height="72" alt="" />
      <h1>This page is locked</h1>
      <p>
        Open the address that <code>orrery dashboard</code> printed: it carries the key. Addresses of earlier runs open nothing.
      </p>
    </div>
  );
}

function Toast() {
  const { toast } = useUi();
  const timer = useRef(0);
  useEffect(() => {
    window.clearTimeout(timer.current);
    if (toast !== undefined) timer.current = window.setTimeout(() => setUi({ toast: undefined }), toast.ok ? 4_000 : 10_000);
  }, [toast]);
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toast !== undefined && <p class={toast.ok ? 'toast' : 'toast bad'}>{toast.text}</p>}
    </div>
  );
}

/** `/` searches, Escape closes what was opened last. */
function useKeys(): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
      if (event.key === '/' && !typing) {
        event.preventDefault();
        document.querySelector<HTMLInputElement>('#search')?.focus();
      }
      if (event.key === 'Escape') closeLast(event.target);
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
}

function closeLast(target: EventTarget | null): void {
  if (target instanceof HTMLElement && target.id === 'search') target.blur();
  else if (isLogOpen()) setUi({ log: undefined });
  else setUi({ selected: '' });
}
