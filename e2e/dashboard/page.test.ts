import { deployments, pods, serviceAccounts } from '@orrery/api';
import type { Deployment } from '@orrery/api/apps/v1';
import type { Pod } from '@orrery/api/core/v1';
import { type Dashboard, openDashboard } from '@orrery/dashboard';
import { startCluster, type TestCluster } from '@orrery/testkit';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { startBrowser, type TestBrowser } from './browser.ts';
import { createDeployment, createNode, createPod, statuses, withAnswers } from './objects.ts';
import { type Area, newPixelReader, type PixelReader } from './pixels.ts';

const NODES = ['east-1', 'east-2', 'east-3'];
const LIMIT_MS = 120_000;

let browser: TestBrowser;
let pixels: PixelReader;
const problems: string[] = [];

interface Shown {
  readonly cluster: TestCluster;
  readonly dashboard: Dashboard;
  close(): Promise<void>;
}

/** An API server with three nodes, and its page. Nothing runs: what the page shows is what the test writes. */
async function show(podsPerNode: string): Promise<Shown> {
  const cluster = await startCluster({ controllers: false, scheduler: false });
  const { client } = cluster;
  await client.create(serviceAccounts, { metadata: { namespace: 'default', name: 'default' } });
  for (const name of NODES) await createNode(client, name, podsPerNode);
  const items = NODES.map((name, index) => ({ metadata: { name }, usage: { cpu: `${index + 1}`, memory: '2Gi' } }));
  const transport = withAnswers(client.transport, (path) => {
    if (path.startsWith('/apis/metrics.k8s.io/v1beta1/nodes')) return JSON.stringify({ items });
    if (path.includes('/log?'))
      return Array.from({ length: 3_000 }, (_, index) => `2026-01-01T00:00:00.000000000Z line ${index}\n`).join('');
    return undefined;
  });
  const dashboard = await openDashboard({ clusters: [{ name: 'east', transport }] });
  return {
    cluster,
    dashboard,
    async close() {
      await dashboard.close();
      await cluster.dispose();
    },
  };
}

async function open(dashboard: Dashboard): Promise<Page> {
  const page = await browser.context.newPage();
  page.setDefaultTimeout(60_000);
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  page.on('pageerror', (error) => problems.push(String(error)));
  await page.goto(dashboard.url);
  await page
    .locator('.box')
    .nth(NODES.length - 1)
    .waitFor();
  return page;
}

const counters = (page: Page): Promise<Record<'frames' | 'tiles' | 'tilesMaxOfAFrame' | 'batches' | 'views', number>> =>
  page.evaluate('({...orreryCounters})');
const elements = (page: Page): Promise<number> => page.evaluate('document.querySelectorAll("*").length');
const stateCount = async (page: Page, state: string): Promise<number> =>
  Number((await page.locator(`[data-state=${state}] b`).innerText()).replace(/,/g, ''));
/** No frame is asked for any more: everything has landed. */
const settled = (page: Page): Promise<void> =>
  eventually(async () => {
    const before = (await counters(page)).frames;
    await page.waitForTimeout(150);
    expect((await counters(page)).frames).toBe(before);
  });
async function areaOf(page: Page, selector: string, index: number): Promise<Area> {
  const area = await page.locator(selector).nth(index).boundingBox();
  if (area === null) throw new Error(`${selector} ${index} is not shown`);
  return area;
}

beforeAll(async () => {
  browser = await startBrowser();
  pixels = await newPixelReader(browser.context);
}, LIMIT_MS);
afterAll(() => browser?.close());

describe('50 pods on 3 nodes', () => {
  let shown: Shown;
  let page: Page;
  beforeAll(async () => {
    shown = await show('110');
    const { client } = shown.cluster;
    // On each node: 2 that fail, 1 that starts, the others run; 2 wait for a node.
    const statusOf = (index: number) => (index < 6 ? statuses.crashing : index < 9 ? statuses.creating : statuses.running);
    for (let index = 0; index < 48; index += 1) {
      await createPod(client, { name: `shop-${index}`, namespace: 'default', node: NODES[index % 3] ?? '' }, statusOf(index));
    }
    for (const name of ['late-0', 'late-1']) await createPod(client, { name }, statuses.unschedulable);
    await createDeployment(client, 'shop', 2);
    page = await open(shown.dashboard);
    await eventually(async () => expect(await page.locator('#total').innerText()).toBe('50'));
  }, LIMIT_MS);
  afterAll(() => shown?.close());

  test('the picture: three boxes side by side, in each the pods of its node in their colours and shapes', {
    timeout: LIMIT_MS,
  }, async () => {
    await settled(page);
    const boxes = await Promise.all(NODES.map((_name, index) => areaOf(page, '.box', index)));
    for (const [index, box] of boxes.entries()) {
      expect(box.width).toBeGreaterThan(300);
      expect(box.y).toBe(boxes[0]?.y);
      const next = boxes[index + 1];
      if (next !== undefined) expect(box.x + box.width).toBeLessThan(next.x);
    }
    const picture = await page.screenshot();
    const colour = (name: string): Promise<string> =>
      page.evaluate(`getComputedStyle(document.documentElement).getPropertyValue('--${name}').trim()`);
    const [green, red, blue] = await Promise.all([colour('running'), colour('failing'), colour('starting')]);
    for (const index of NODES.keys()) {
      const tiles = await areaOf(page, '.box canvas', index);
      // 13 squares of 12 px with round corners: 136 px each, less what smoothing takes.
      const running = (await pixels.count(picture, tiles, green)) / 136;
      expect(running).toBeGreaterThan(13 * 0.8);
      expect(running).toBeLessThan(13 * 1.1);
      // Two triangles of 72 px, and their tiles' frames and words.
      expect(await pixels.count(picture, tiles, red)).toBeGreaterThan(2 * 60);
      const starting = await pixels.count(picture, tiles, blue);
      expect(starting).toBeGreaterThan(40);
      expect(starting).toBeLessThan(140);
    }
    expect(await page.locator('.tray').innerText()).toMatch(
      /2 pods wait for a node[\s\S]*0\/3 nodes are available: 3 Insufficient cpu\.[\s\S]*late-0[\s\S]*late-1/,
    );
    expect([await stateCount(page, 'running'), await stateCount(page, 'failing'), await stateCount(page, 'starting')]).toEqual([39, 6, 3]);
    await eventually(async () => expect(await page.locator('.meter').allInnerTexts()).toContain('CPU\n1.00 cores · 25 %'));
  });

  test('a pod drops into its box; without a movement where people ask for none', { timeout: LIMIT_MS }, async () => {
    const { client } = shown.cluster;
    const framesOf = async (name: string): Promise<number> => {
      await client.delete(pods, { namespace: 'default', name }, { gracePeriodSeconds: 0 }).catch(() => undefined);
      await settled(page);
      const [before, total] = [(await counters(page)).frames, await page.locator('#total').innerText()];
      await createPod(client, { name, node: 'east-1' });
      await eventually(async () => expect(await page.locator('#total').innerText()).not.toBe(total));
      await settled(page);
      return (await counters(page)).frames - before;
    };
    const falling = await framesOf('drop-1');
    await page.emulateMedia({ reducedMotion: 'reduce' });
    const still = await framesOf('drop-2');
    await page.emulateMedia({ reducedMotion: 'no-preference' });
    expect(falling).toBeGreaterThan(still);
    expect(still).toBeLessThan(5);
    for (const name of ['drop-1', 'drop-2']) await client.delete(pods, { namespace: 'default', name }, { gracePeriodSeconds: 0 });
  });

  test('by the keyboard: search, walk over pods, open one, read its log', { timeout: LIMIT_MS }, async () => {
    await page.keyboard.press('/');
    await page.keyboard.type('shop-1');
    expect(await page.locator('#search').inputValue()).toBe('shop-1');
    await page.locator('#search').fill('');
    await page.locator('.box canvas').first().focus();
    await page.keyboard.press('Home');
    await eventually(async () => expect(await page.locator('.sr').first().textContent()).toMatch(/^shop-\d+ in default: /));
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    const name = await page.locator('.details h2').innerText();
    expect(await page.locator('.sr').first().textContent()).toContain(`${name} in default`);
    await page.locator('.details .main').press('Enter');
    await eventually(async () => expect(await page.locator('.dock').innerText()).toMatch(/3,000 lines[\s\S]*line 2999/));
    expect(await page.locator('.line').count()).toBeLessThan(100);
    await page.keyboard.press('Escape');
    // At once, before the page is drawn again: each key closes one thing.
    await page.keyboard.press('Escape');
    await eventually(async () => expect([await page.locator('.dock').count(), await page.locator('.details').count()]).toEqual([0, 0]));
  });

  test('scales a deployment and restarts it, asking first', { timeout: LIMIT_MS }, async () => {
    await page.getByRole('button', { name: 'Workloads', exact: true }).click();
    const before = await replicas();
    await page.getByRole('button', { name: 'One replica more of shop' }).click();
    await eventually(async () => expect(await replicas()).toBe(before + 1));
    await page.getByRole('button', { name: 'Restart' }).click();
    await page.getByRole('button', { name: 'Replace all pods?' }).click();
    await eventually(async () => expect(await page.locator('.toast').innerText()).toBe('Deployment shop restarts'));
    await page.getByRole('button', { name: 'Map', exact: true }).click();
  });
  const replicas = async (): Promise<number> =>
    (await shown.cluster.client.get<Deployment>(deployments, { namespace: 'default', name: 'shop' })).spec?.replicas ?? -1;

  test('dark is dark', { timeout: LIMIT_MS }, async () => {
    await page.emulateMedia({ colorScheme: 'dark' });
    await settled(page);
    const back = await page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
    expect((back.match(/\d+/g) ?? []).map(Number).every((value) => value < 40)).toBe(true);
    expect(await pixels.count(await page.screenshot(), await areaOf(page, '.box canvas', 0), '#35c788')).toBeGreaterThan(13 * 100);
    await page.emulateMedia({ colorScheme: 'light' });
  });

  test('opens for nobody who has only the address, or a reload after the key is gone; asks nothing of other hosts', {
    timeout: LIMIT_MS,
  }, async () => {
    expect(await page.evaluate('location.href')).not.toContain('#');
    await page.reload();
    await page.locator('.box').first().waitFor();
    const other = await browser.context.newPage();
    await other.goto(shown.dashboard.url.replace(/#.*/, ''));
    await eventually(async () => expect(await other.locator('h1').innerText()).toBe('This page is locked'));
    await other.close();
    await page.close();
    expect(browser.outside).toEqual([]);
    expect(problems).toEqual([]);
  });
});

describe('5,000 pods', () => {
  const COUNT = 5_000;
  const CHANGES = 1_500;
  let shown: Shown;
  beforeAll(async () => {
    shown = await show('2000');
    const { client } = shown.cluster;
    let next = 0;
    const worker = async (): Promise<void> => {
      for (let index = next++; index < COUNT; index = next++) {
        await createPod(client, { name: `pod-${index}`, node: NODES[index % 3] ?? '' });
      }
    };
    await Promise.all(Array.from({ length: 32 }, worker));
  }, LIMIT_MS);
  afterAll(() => shown?.close());

  test('cost the page a few elements and bounded frames, also while 500 change each second', { timeout: LIMIT_MS }, async () => {
    const { client } = shown.cluster;
    const page = await open(shown.dashboard);
    await eventually(async () => expect(await page.locator('#total').innerText()).toBe('5,000'));
    await settled(page);
    expect(await elements(page)).toBeLessThan(300);
    const before = await counters(page);
    const all = (await client.list<Pod>(pods, { namespace: 'default' })).items.slice(0, CHANGES);
    const startMs = performance.now();
    for (const [index, pod] of all.entries()) {
      await client.updateStatus(pods, { ...pod, status: statuses.running } as never);
      const aheadMs = index * 2 - (performance.now() - startMs);
      if (aheadMs > 20) await new Promise((resolve) => setTimeout(resolve, aheadMs));
      if (index !== CHANGES / 2) continue;
      // What did not change was not drawn.
      expect((await counters(page)).tiles - before.tiles).toBeLessThanOrEqual(CHANGES);
      // People go on working meanwhile.
      await page.getByRole('button', { name: 'Pods', exact: true }).click();
    }
    const seconds = (performance.now() - startMs) / 1000;
    await eventually(async () => expect(await stateCount(page, 'running')).toBe(CHANGES));
    const after = await counters(page);
    expect(after.tilesMaxOfAFrame).toBeLessThanOrEqual(6_000 + COUNT / 3 + 1);
    // Changes come in batches, ten a second and not one each; each of them once.
    expect(after.batches - before.batches).toBeLessThan(seconds * 11 + 10);
    expect(after.views - before.views).toBeLessThanOrEqual(CHANGES + 10);
    expect(await page.locator('.row').count()).toBeLessThan(60);
    expect(await elements(page)).toBeLessThan(1_200);
    await page.evaluate('document.querySelector(".rows").scrollTo(0, 100000)');
    await eventually(async () => expect(Number(await page.locator('.row').first().getAttribute('aria-rowindex'))).toBeGreaterThan(2_000));
    expect(await page.locator('.row').count()).toBeLessThan(60);
    await page.locator('#search').fill('pod-4999');
    await eventually(async () => expect(await page.locator('.row').count()).toBe(1));
    await page.close();
  });
});
