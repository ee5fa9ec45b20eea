import 'uplot/dist/uPlot.min.css';
import './style.css';
import { render } from 'preact';
import { App } from './app.tsx';
import { counters, invalidate } from './frames.ts';
import { enter, keepLooking } from './link.ts';
import { forgetPalette } from './paint.ts';
import { publish, setUi, store } from './state.ts';

// For tests and the curious: what drawing has cost.
Object.assign(globalThis, { orreryCounters: counters });

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  forgetPalette();
  for (const key of store.boxes.keys()) invalidate(key);
});

// Ages grow while nothing happens.
window.setInterval(() => publish('pods'), 5_000);

const root = document.getElementById('app');
if (root !== null) render(<App />, root);

void enter()
  .catch(() => false)
  .then((entered) => {
    if (entered) void keepLooking();
    else setUi({ link: 'locked' });
  });
