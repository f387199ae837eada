// Chromium for the cases: a fresh profile, a page that must stay without faults, and a few
// words that say what a case waits for. Which server is behind is told by the environment:
//   LAKEMILL_WEB_SCENE    {"url", "succeeds", "fails", "fault", "slow"}: where it is, names of
//                         pipelines that behave so, and words of the fault
//   LAKEMILL_WEB_MODULES  the node_modules with playwright-core and axe-core
//   LAKEMILL_WEB_BROWSER  the Chromium
//   LAKEMILL_WEB_SHOTS    where screenshots go
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { after, before } from 'node:test';
import { Relay } from './relay.mjs';

const modules = process.env.LAKEMILL_WEB_MODULES;
const require = createRequire(path.join(modules, 'cases.js'));
const { chromium } = require('playwright-core');
const axeSource = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

export const scene = JSON.parse(process.env.LAKEMILL_WEB_SCENE);
const kShots = process.env.LAKEMILL_WEB_SHOTS;
const kFlags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const kPatienceMs = 20_000;
let browser;

/** What can be cut between the browser and the server. */
export const relay = new Relay();

before(async () => {
  mkdirSync(kShots, { recursive: true });
  const { host } = new URL(scene.url);
  const port = await relay.open(scene.url);
  browser = await chromium.launch({
    executablePath: process.env.LAKEMILL_WEB_BROWSER,
    args: [...kFlags, `--host-resolver-rules=MAP ${host} 127.0.0.1:${port}`],
  });
});
after(async () => {
  await browser?.close();
  relay.close();
});

/**
 * Opens `address` of the scene, calls `act` with the page, and fails if the page told a
 * fault meanwhile: an error on the console, an exception, a breach of the policy.
 */
export async function onPage(address, act, options = {}) {
  const { faultsAllowed = false, ...rest } = options;
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    colorScheme: 'light',
    timezoneId: 'Europe/Berlin',
    reducedMotion: 'reduce',
    ...rest,
  });
  context.setDefaultTimeout(kPatienceMs);
  const page = await context.newPage();
  const faults = [];
  page.on('console', (line) => {
    if (line.type() === 'error' || line.type() === 'warning') faults.push(line.text());
  });
  page.on('pageerror', (error) => faults.push(error.stack ?? error.message));
  await page.addInitScript(() => {
    window.breaches = [];
    addEventListener('securitypolicyviolation', (breach) => {
      window.breaches.push(`${breach.violatedDirective}: ${breach.blockedURI}`);
    });
  });
  try {
    await page.goto(scene.url + address);
    await page.locator('h1').waitFor();
    await act(page, context);
    faults.push(...(await page.evaluate(() => window.breaches)));
    if (!faultsAllowed) assert.deepEqual(faults, [], `faults on ${address}`);
  } catch (error) {
    await page.screenshot({ path: path.join(kShots, 'failed.png') }).catch(() => undefined);
    throw error;
  } finally {
    await context.close();
  }
}

/** What axe-core finds serious or worse; none is allowed. */
export async function mustBeAccessible(page, where) {
  await page.evaluate(axeSource);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  const bad = violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(
      ({ id, nodes }) =>
        `${id}: ${nodes
          .slice(0, 3)
          .map((n) => n.html.slice(0, 160))
          .join('\n  ')}`,
    );
  assert.deepEqual(bad, [], `axe on ${where}`);
}

/** Keeps a picture of the window for people. */
export function shoot(page, name) {
  return page.screenshot({ path: path.join(kShots, `${name}.png`) });
}

/** GET or POST of the API, beside the page. */
export async function api(where, body) {
  const answer = await fetch(`${scene.url}/api/v1${where}`, {
    method: body ? 'POST' : 'GET',
    headers: { 'content-type': 'application/json', 'x-requested-with': 'lakemill' },
    body: body && JSON.stringify(body),
  });
  assert.ok(answer.ok, `${where}: ${answer.status}`);
  return answer.json();
}

/** Asks for a run and waits until it is in `state` (a status or an outcome). */
export async function runUntil(pipeline, state) {
  const { run_id } = await api(`/pipelines/${pipeline}/runs`, {});
  return waitForRun(run_id, state);
}

export async function waitForRun(run_id, state) {
  const end = Date.now() + 3 * kPatienceMs;
  for (;;) {
    const run = await api(`/runs/${run_id}`);
    if (run.status === state || run.outcome === state) return run;
    assert.ok(run.status !== 'ended', `the run ended as ${run.outcome}, not ${state}`);
    assert.ok(Date.now() < end, `the run is ${run.status} still, not ${state}`);
    await new Promise((done) => setTimeout(done, 100));
  }
}
