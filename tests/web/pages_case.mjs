// Each page: it renders, is accessible in both themes, and opens by its address.
import assert from 'node:assert/strict';
import test from 'node:test';
import { api, mustBeAccessible, onPage, runUntil, scene, shoot } from './browser.mjs';

await runUntil(scene.succeeds, 'succeeded');
const failed = await runUntil(scene.fails, 'failed');

const kPages = [
  ['overview', '/', (page) => page.locator(`[data-pipeline="${scene.succeeds}"]`).waitFor()],
  ['graph', '/graph', (page) => page.locator('.graph-view canvas').waitFor()],
  ['runs', '/runs', (page) => page.locator(`[data-run="${failed.run_id}"]`).waitFor()],
  [
    'run',
    `/runs/${failed.run_id}`,
    (page) => page.locator('.timeline [data-node]').first().waitFor(),
  ],
  [
    'pipeline',
    `/pipelines/${scene.fails}`,
    (page) => page.locator('tr[data-node]').first().waitFor(),
  ],
  ['events', '/events', (page) => page.locator('[data-event]').first().waitFor()],
];

for (const [name, address, isThere] of kPages) {
  for (const colorScheme of ['light', 'dark']) {
    test(`the page ${name} in ${colorScheme}`, () =>
      onPage(
        address,
        async (page) => {
          await isThere(page);
          await page.waitForTimeout(300);
          await shoot(page, `${name}-${colorScheme}`);
          await mustBeAccessible(page, `${name} in ${colorScheme}`);
        },
        { colorScheme },
      ));
  }
  test(`the page ${name} on a telephone`, () =>
    onPage(
      address,
      async (page) => {
        await isThere(page);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(wide <= 0, `${wide} pixels stand out`);
        await shoot(page, `${name}-narrow`);
      },
      { viewport: { width: 390, height: 844 } },
    ));
}

test('a node of the graph opens by its address', async () => {
  const { nodes } = await api(`/pipelines/${scene.succeeds}/graph`);
  const node = nodes.at(-1);
  await onPage(`/graph?node=${scene.succeeds}/${node.name}`, async (page) => {
    await page.getByRole('heading', { name: node.name, exact: true }).waitFor();
    await page.reload();
    await page.getByRole('heading', { name: node.name, exact: true }).waitFor();
    await shoot(page, 'graph-node');
    await mustBeAccessible(page, 'a node of the graph');
  });
});

test('filters are in the address and outlive a reload', () =>
  onPage('/runs', async (page) => {
    await page.getByLabel('Pipeline').selectOption(scene.fails);
    await page.getByLabel('State').selectOption('failed');
    await page.reload();
    assert.equal(await page.getByLabel('Pipeline').inputValue(), scene.fails);
    await page.locator(`[data-run="${failed.run_id}"]`).waitFor();
    assert.equal(await page.locator('tbody [data-state]:not([data-state=failed])').count(), 0);
  }));

test('events are filtered, searched, and tell their details', () =>
  onPage(`/events?run=${failed.run_id}`, async (page) => {
    const rows = page.locator('[data-event]');
    await rows.first().waitFor();
    const all = await rows.count();
    await page.getByLabel('Level').selectOption('error');
    await page.waitForFunction(
      (count) => document.querySelectorAll('[data-event]').length < count,
      all,
    );
    await page.getByLabel('Search in what is shown').fill('run_failed');
    await page.locator('[data-event=run_failed]').waitFor();
    assert.equal(await rows.count(), 1);
    await page.getByLabel('Details of run_failed').click();
    await page.locator('.event-details').getByText(failed.run_id).waitFor();
    await mustBeAccessible(page, 'open details');
  }));

test('an unknown page, pipeline and run say so', async () => {
  await onPage('/no-such-page', (page) => page.getByText('There is no such page').waitFor());
  for (const address of ['/pipelines/no-such', '/runs/no-such']) {
    await onPage(address, (page) => page.locator('[data-testid=fault]').waitFor(), {
      faultsAllowed: true, // the browser itself tells the answer's status on the console
    });
  }
});

test('a project in which nothing is yet says so on each page', async () => {
  const overview = await api('/overview');
  const none = {
    '/overview': {
      ...overview,
      counts: { pipelines: 0, invalid: 0, paused: 0, running: 0, queued: 0, failing: 0 },
      pipelines: [],
      runs: [],
    },
    '/graph': { nodes: [], edges: [] },
    '/runs': { runs: [] },
    '/events': { events: [] },
  };
  for (const address of ['/', '/graph', '/runs', '/events']) {
    await onPage('/no-such-page', async (page) => {
      await page.route('**/api/v1/**', (route) => {
        const path = new URL(route.request().url()).pathname.replace('/api/v1', '');
        return path in none ? route.fulfill({ json: none[path] }) : route.continue();
      });
      await page.goto(scene.url + address);
      await page.locator('.empty').first().waitFor();
      await shoot(page, `empty${address.replace('/', '-')}`);
    });
  }
});

test('times are of the viewer’s zone, their titles have the UTC instant', () =>
  onPage(
    `/runs/${failed.run_id}`,
    async (page) => {
      const shown = page.locator('.facts time').first();
      const instant = await shown.getAttribute('datetime');
      const clock = new Intl.DateTimeFormat('en-US', {
        timeZone: 'Asia/Kolkata',
        hourCycle: 'h23',
        hour: '2-digit',
        minute: '2-digit',
        second: '2-digit',
      }).format(Date.parse(instant));
      assert.ok((await shown.textContent()).includes(clock), await shown.textContent());
      assert.ok((await shown.getAttribute('title')).includes(instant.slice(0, 19)));
    },
    { timezoneId: 'Asia/Kolkata', locale: 'en-US' },
  ));

test('the theme that was chosen outlives a reload', () =>
  onPage('/', async (page) => {
    const ground = () =>
      page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    const light = await ground();
    await page.getByTitle('Dark', { exact: true }).click();
    const dark = await ground();
    assert.notEqual(dark, light);
    await page.reload();
    await page.locator('h1').waitFor();
    assert.equal(await ground(), dark);
  }));

test('the keyboard reaches the content, pages and nodes', () =>
  onPage('/', async (page) => {
    const focused = () => page.evaluate(() => document.activeElement?.textContent ?? '');
    await page.keyboard.press('Tab');
    assert.equal(await focused(), 'Skip to content');
    await page.keyboard.press('Enter');
    assert.equal(await page.evaluate(() => document.activeElement?.id), 'main');
    await page.getByRole('link', { name: 'Graph' }).focus();
    await page.keyboard.press('Enter');
    await page.locator('.graph-view canvas').waitFor();
    assert.equal(await focused(), 'Graph', 'the heading has the focus on a new page');
    assert.match(await page.title(), /^Graph · /);
    await page.getByRole('treeitem').first().focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.locator('.node-card').waitFor();
    assert.match(page.url(), /node=/);
    await page.goBack();
    await page.locator('.node-card').waitFor({ state: 'detached' });
    await page.goForward();
    await page.locator('.node-card').waitFor();
    await page.getByRole('treeitem').first().press('Escape');
    await page.locator('.node-card').waitFor({ state: 'detached' });
  }));
