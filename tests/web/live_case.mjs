// What happens while somebody looks: runs that start, end, fail, are stopped and repeated.
import assert from 'node:assert/strict';
import test from 'node:test';
import {
  api,
  mustBeAccessible,
  onPage,
  relay,
  runUntil,
  scene,
  shoot,
  waitForRun,
} from './browser.mjs';

const runIdIn = (page) => decodeURIComponent(new URL(page.url()).pathname.split('/').at(-1));

test('the overview shows a run that was asked for elsewhere, without a reload', () =>
  onPage('/', async (page) => {
    await page.locator('.connection-live').waitFor();
    const { run_id } = await api(`/pipelines/${scene.succeeds}/runs`, {});
    const line = page.locator(`[data-testid=last-runs] [data-run="${run_id}"]`);
    await line.waitFor();
    await line.locator('[data-state=succeeded]').waitFor();
    await page.getByRole('status').getByText(`Run of ${scene.succeeds}: succeeded`).waitFor({
      state: 'attached',
    });
  }));

test('a run that is asked for on its row opens, goes on and ends', () =>
  onPage('/', async (page) => {
    await page.getByRole('button', { name: `Run ${scene.succeeds} now` }).click();
    await page.waitForURL(/\/runs\//);
    await page.locator('.timeline [data-node] [data-state=succeeded]').first().waitFor();
    await page.locator('[data-testid=run-state] [data-state=succeeded]').waitFor();
    await page.locator('[data-event=run_succeeded]').waitFor();
    const run = await api(`/runs/${runIdIn(page)}`);
    assert.equal(await page.locator('.timeline [data-node]').count(), run.nodes.length);
  }));

test('a failing run shows its error, and can be retried', () =>
  onPage(`/pipelines/${scene.fails}`, async (page) => {
    await page.getByRole('button', { name: 'Run now' }).click();
    await page.waitForURL(/\/runs\//);
    await page.locator('[data-testid=run-state] [data-state=failed]').waitFor();
    await page.locator('[data-testid=fault]').getByText(scene.fault).first().waitFor();
    await page.locator('.timeline [data-state=failed]').waitFor();
    const first = runIdIn(page);
    await page.getByRole('button', { name: 'Retry what failed' }).click();
    await page.waitForURL(
      (url) => url.pathname.startsWith('/runs/') && !url.pathname.includes(first),
    );
    await page.locator('[data-testid=run-state] [data-state=failed]').waitFor();
    const again = await api(`/runs/${runIdIn(page)}`);
    assert.equal(again.pipeline, scene.fails);
    assert.ok(!again.nodes.some(({ status }) => status === 'running'));
  }));

test('a run is cancelled', () =>
  startSlow().then((run_id) =>
    onPage(`/runs/${run_id}`, async (page) => {
      await page.locator('[data-testid=run-state] [data-state=running]').waitFor();
      await page.locator('.timeline [data-state=running]').first().waitFor();
      await shoot(page, 'run-running');
      await page.getByRole('button', { name: 'Cancel run' }).click();
      await page.locator('[data-testid=run-state] [data-state=cancelled]').waitFor();
      await page.locator('.timeline [data-state=cancelled]').first().waitFor();
      await shoot(page, 'run-cancelled');
      await mustBeAccessible(page, 'a cancelled run');
      assert.equal(await page.getByRole('button', { name: 'Cancel run' }).count(), 0);
      await waitForRun(run_id, 'cancelled');
    }),
  ));

test('a pipeline is paused and goes on', () =>
  onPage(`/pipelines/${scene.succeeds}`, async (page) => {
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('button', { name: 'Resume' }).waitFor();
    assert.equal((await api(`/pipelines/${scene.succeeds}`)).paused, true);
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.getByRole('button', { name: 'Pause' }).waitFor();
    assert.equal((await api(`/pipelines/${scene.succeeds}`)).paused, false);
  }));

test('a run with options carries them', () =>
  onPage(`/pipelines/${scene.succeeds}`, async (page) => {
    const { nodes } = await api(`/pipelines/${scene.succeeds}/graph`);
    await page.getByRole('button', { name: 'Run with…' }).click();
    await mustBeAccessible(page, 'the dialog of a run');
    await shoot(page, 'run-with');
    await page.getByRole('dialog').getByLabel('Nodes').fill(nodes[0].name);
    await page.getByLabel('Full refresh').check();
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page.waitForURL(/\/runs\//);
    const run = await api(`/runs/${runIdIn(page)}`);
    assert.deepEqual(run.selectors, [nodes[0].name]);
    assert.equal(run.full_refresh, true);
  }));

test('events are followed, and held on wish', () =>
  onPage('/events', async (page) => {
    await page.locator('[data-event]').first().waitFor();
    const run = await runUntil(scene.succeeds, 'succeeded');
    await page.getByLabel('Run', { exact: true }).fill(run.run_id);
    await page.getByLabel('Run', { exact: true }).press('Enter');
    await page.locator('[data-event=run_succeeded]').waitFor();
    await page.getByLabel('Run', { exact: true }).fill('');
    await page.getByLabel('Run', { exact: true }).press('Enter');
    await page.getByRole('button', { name: 'Following' }).click();
    await runUntil(scene.succeeds, 'succeeded');
    await page.getByRole('button', { name: /new event/ }).click();
    await page.getByRole('button', { name: 'Following' }).waitFor();
  }));

test('the graph shows a node that runs and how it ended', () =>
  onPage(`/graph?pipeline=${scene.succeeds}`, async (page) => {
    await page.locator('.graph-view canvas').waitFor();
    await page.locator('.connection-live').waitFor();
    await api(`/pipelines/${scene.succeeds}/runs`, {});
    await page.locator('.tree-node [data-state=running]').first().waitFor();
    await shoot(page, 'graph-running');
    await page.waitForFunction(() => !document.querySelector('.tree-node [data-state=running]'));
  }));

test('a server that cannot be reached is told, and what was missed is there afterwards', () =>
  onPage(
    '/',
    async (page) => {
      await page.locator('.connection-live').waitFor();
      await page.locator('[data-testid=last-runs]').waitFor();
      relay.cut();
      await page.locator('[data-testid=lost]').waitFor();
      await page.locator('[data-testid=last-runs]').waitFor();
      await shoot(page, 'lost');
      await mustBeAccessible(page, 'the banner');
      const run = await runUntil(scene.succeeds, 'succeeded');
      relay.mend();
      await page.locator('.connection-live').waitFor();
      await page.locator('[data-testid=lost]').waitFor({ state: 'detached' });
      await page.locator(`[data-testid=last-runs] [data-run="${run.run_id}"]`).waitFor();
    },
    { faultsAllowed: true },
  ));

async function startSlow() {
  return (await runUntil(scene.slow, 'running')).run_id;
}
