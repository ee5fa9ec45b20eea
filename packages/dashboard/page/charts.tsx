import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { formatBytes, formatCpu } from '../src/model/format.ts';
import type { Line } from '../src/model/series.ts';
import type { ClusterState } from '../src/protocol.ts';
import { useTopics } from './state.ts';

interface ChartsProps {
  /** Asked again with every sample. */
  readonly line: () => Line | undefined;
  readonly served: ClusterState['metrics'] | undefined;
}

/** CPU and memory of the last minutes; where there are none, why. */
export function Charts({ line, served }: ChartsProps) {
  useTopics('samples', 'clusters');
  const points = line();
  if (served === 'absent') return <p class="facts charts">No charts: this cluster serves no metrics (metrics.k8s.io).</p>;
  if (points === undefined) return <p class="facts charts">No measurements yet.</p>;
  return (
    <div class="charts">
      <Chart title="CPU" atMs={points.atMs} values={points.cpuMilli} format={formatCpu} colour="--chart-cpu" />
      <Chart title="Memory" atMs={points.atMs} values={points.memoryBytes} format={formatBytes} colour="--chart-memory" />
    </div>
  );
}

interface ChartProps {
  readonly title: string;
  readonly atMs: readonly number[];
  readonly values: readonly number[];
  readonly format: (value: number) => string;
  readonly colour: string;
}

const HEIGHT = 96;

function Chart({ title, atMs, values, format, colour }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const data: uPlot.AlignedData = [atMs.map((ms) => ms / 1000), [...values]];
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const made = new uPlot(optionsOf(element.clientWidth, format, colour), data, element);
    plot.current = made;
    const sizes = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }));
    sizes.observe(element);
    return () => {
      sizes.disconnect();
      made.destroy();
    };
  }, []);
  useEffect(() => plot.current?.setData(data));
  return (
    <figure>
      <figcaption>
        {title} <b>{format(values[values.length - 1] ?? 0)}</b>
      </figcaption>
      <div ref={place} class="plot" />
    </figure>
  );
}

function optionsOf(width: number, format: (value: number) => string, colour: string): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const value = (name: string): string => style.getPropertyValue(name).trim();
  const axis = { stroke: value('--soft'), grid: { stroke: value('--line'), width: 1 }, ticks: { show: false }, font: '10px system-ui' };
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    scales: { y: { range: (_plot, _min, max) => [0, max > 0 ? max * 1.15 : 1] } },
    axes: [
      { ...axis, size: 20, space: 70 },
      { ...axis, size: 62, space: 28, values: (_plot, ticks) => ticks.map(format) },
    ],
    series: [{}, { stroke: value(colour), fill: `${value(colour)}26`, width: 1.8, points: { show: false } }],
  };
}
