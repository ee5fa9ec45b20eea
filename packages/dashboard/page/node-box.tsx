import { useEffect, useRef, useState } from 'preact/hooks';
import { formatBytes, formatCpu } from '../src/model/format.ts';
import type { Box } from '../src/model/page-store.ts';
import { type Direction, nextSlot, placeOf, slotAt } from '../src/model/tiles.ts';
import type { PodView } from '../src/protocol.ts';
import { type BoxPainter, MARGIN, newBoxPainter } from './box-painter.ts';
import { addPainter, invalidate } from './frames.ts';
import { stateWords } from './shape.tsx';
import { series, setUi, store, useTopics, useUi } from './state.ts';

export function NodeBox({ box }: { readonly box: Box }) {
  useTopics(`box:${box.key}`);
  const { selected } = useUi();
  const { node } = box;
  const id = `box:${box.key}`;
  const podCount = box.slots.size;
  const status = node === undefined ? '' : node.status;
  return (
    <article class={`box ${node !== undefined && !node.ready ? 'not-ready' : ''} ${selected === id ? 'selected' : ''}`}>
      <button type="button" class="box-title" onClick={() => setUi({ selected: id })} title={node?.message}>
        <span class={`light ${node === undefined || node.ready ? '' : 'bad'}`} />
        <b>{box.name}</b>
        <span class="facts">
          {status !== '' && status !== 'Ready' && <em class="bad">{status}</em>} {podCount}
          {node !== undefined && node.pods > 0 ? ` / ${node.pods}` : ''} pods
        </span>
      </button>
      <Meters box={box} />
      <Tiles box={box} />
    </article>
  );
}

function Meters({ box }: { readonly box: Box }) {
  useTopics('samples');
  const usage = series.lastOfNode(box.cluster, box.name);
  if (usage === undefined || box.node === undefined) return null;
  const [cpu, memory] = usage;
  return (
    <div class="meters">
      <Meter label="CPU" text={formatCpu(cpu)} part={cpu / box.node.cpuMilli} />
      <Meter label="Mem" text={formatBytes(memory)} part={memory / box.node.memoryBytes} />
    </div>
  );
}

function Meter({ label, text, part }: { readonly label: string; readonly text: string; readonly part: number }) {
  const percent = Math.min(100, Math.round(Number.isFinite(part) ? part * 100 : 0));
  return (
    <div class="meter" title={`${label}: ${text}, ${percent} % of what the node has for pods`}>
      <span>{label}</span>
      <div class="track">
        <div class={percent > 85 ? 'fill high' : 'fill'} style={{ width: `${percent}%` }} />
      </div>
      <span class="value">
        {text} · {percent} %
      </span>
    </div>
  );
}

const keys: Readonly<Record<string, Direction>> = {
  ArrowLeft: 'left',
  ArrowRight: 'right',
  ArrowUp: 'up',
  ArrowDown: 'down',
  Home: 'first',
  End: 'last',
};

/** The pods of a box, on one canvas however many they are. The keyboard walks over them; what it is at is told in words. */
function Tiles({ box }: { readonly box: Box }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const painter = useRef<BoxPainter | undefined>(undefined);
  const [hover, setHover] = useState<{ readonly pod: PodView; readonly x: number; readonly y: number } | undefined>(undefined);
  const [told, setTold] = useState('');
  useEffect(() => attach(canvas.current, box, painter), [box]);

  const podAt = (event: MouseEvent): PodView | undefined => {
    const layout = painter.current?.layout;
    const slot = layout === undefined ? undefined : slotAt(layout, event.offsetX - MARGIN, event.offsetY - MARGIN);
    return slot === undefined ? undefined : store.pods.get(box.slots.at(slot) ?? '');
  };
  const onMove = (event: MouseEvent): void => {
    const pod = podAt(event);
    if (pod?.id !== hover?.pod.id) setHover(pod === undefined ? undefined : { pod, x: event.offsetX, y: event.offsetY });
  };
  const onKey = (event: KeyboardEvent): void => {
    const current = painter.current;
    if (current === undefined) return;
    const direction = keys[event.key];
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      const id = box.slots.at(current.cursor);
      if (id !== undefined) setUi({ selected: id });
    }
    if (direction === undefined) return;
    event.preventDefault();
    const from = current.cursor < 0 ? -1 : current.cursor;
    const used = (slot: number): boolean => box.slots.at(slot) !== undefined;
    const next =
      from < 0
        ? nextSlot(current.layout, box.slots.length, 0, 'first', used)
        : nextSlot(current.layout, box.slots.length, from, direction, used);
    current.cursor = next;
    invalidate(box.key);
    const pod = store.pods.get(box.slots.at(next) ?? '');
    setTold(pod === undefined ? '' : sentence(pod));
    const { y } = placeOf(current.layout, next);
    scrollIntoSight(canvas.current, y, current.layout.height);
  };
  return (
    <div class="tiles">
      {/* biome-ignore lint/a11y/noInteractiveElementToNoninteractiveRole: the keys below make it one control */}
      <canvas
        ref={canvas}
        tabIndex={0}
        role="application"
        aria-label={`Pods on ${box.name}. Arrow keys walk over them, Enter opens one.`}
        onClick={(event) => {
          const pod = podAt(event);
          if (pod !== undefined) setUi({ selected: pod.id });
        }}
        onMouseMove={onMove}
        onMouseLeave={() => setHover(undefined)}
        onKeyDown={onKey}
        onFocus={() => invalidate(box.key)}
        onBlur={() => invalidate(box.key)}
      />
      <span class="sr" aria-live="polite">
        {told}
      </span>
      {hover !== undefined && (
        <div class="tip" style={{ left: `${hover.x}px`, top: `${hover.y + 18}px` }}>
          <b>{hover.pod.name}</b>
          <span>
            {hover.pod.namespace} · {hover.pod.reason} · {hover.pod.ready}/{hover.pod.total} ready
            {hover.pod.restarts > 0 && ` · ${hover.pod.restarts} restarts`}
          </span>
        </div>
      )}
    </div>
  );
}

function sentence({ name, namespace, state, reason, ready, total, restarts }: PodView): string {
  return `${name} in ${namespace}: ${stateWords[state]}, ${reason}, ${ready} of ${total} ready, ${restarts} restarts`;
}

function attach(canvas: HTMLCanvasElement | null, box: Box, painter: { current: BoxPainter | undefined }): (() => void) | undefined {
  if (canvas === null || canvas.parentElement === null) return undefined;
  const made = newBoxPainter(canvas, box);
  painter.current = made;
  const remove = addPainter(box.key, made);
  const sizes = new ResizeObserver(
    ([entry]) => entry !== undefined && made.resize(entry.contentRect.width, canvas.closest('.many') !== null),
  );
  sizes.observe(canvas.parentElement);
  const sight = new IntersectionObserver(([entry]) => made.setVisible(entry?.isIntersecting === true), { rootMargin: '200px' });
  sight.observe(canvas);
  return () => {
    remove();
    sizes.disconnect();
    sight.disconnect();
  };
}

function scrollIntoSight(canvas: HTMLCanvasElement | null, y: number, height: number): void {
  if (canvas === null) return;
  const top = canvas.getBoundingClientRect().top + y;
  if (top < 120) window.scrollBy(0, top - 140);
  else if (top + height > innerHeight - 20) window.scrollBy(0, top + height - innerHeight + 40);
}
