// The graph of a large project: usable, and how fast. Times are printed, not judged.
import assert from 'node:assert/strict';
import test from 'node:test';
import { mustBeAccessible, onPage, shoot } from './browser.mjs';

const kPanSteps = 120;

/** Frames that were shown a second while `act` went on, and the longest gap in ms. */
async function framesDuring(page, act) {
  await page.evaluate(() => {
    window.frames_ = [];
    const note = (time) => {
      window.frames_.push(time);
      window.framesOn = requestAnimationFrame(note);
    };
    window.framesOn = requestAnimationFrame(note);
  });
  await act();
  return page.evaluate(() => {
    cancelAnimationFrame(window.framesOn);
    const times = window.frames_;
    const gaps = times.slice(1).map((time, index) => time - times[index]);
    return {
      perSecond: (1000 * gaps.length) / (times.at(-1) - times[0]),
      longestMs: Math.max(...gaps),
    };
  });
}

async function pan(page) {
  const { x, y, width, height } = await page.locator('.graph-view canvas').boundingBox();
  await page.mouse.move(x + width / 2, y + height / 2);
  await page.mouse.down();
  for (let step = 0; step < kPanSteps; step++) {
    const angle = step / 8;
    await page.mouse.move(
      x + width / 2 + 220 * Math.sin(angle),
      y + height / 2 + 160 * Math.sin(1.7 * angle),
    );
  }
  await page.mouse.up();
}

test('a graph of thousands of nodes is painted, moved, zoomed and searched', () =>
  onPage('/graph', async (page) => {
    await page.waitForFunction(() => performance.getEntriesByName('graph-painted').length > 0);
    const painted = await page.evaluate(
      () => performance.getEntriesByName('graph-painted')[0].startTime,
    );
    const size = await page.locator('[data-testid=graph-size]').textContent();
    console.log(`measured: ${size}: first paint after ${painted.toFixed(0)} ms`);
    for (const [what, act] of [
      ['near', async () => undefined],
      ['from afar', () => page.getByRole('button', { name: 'Show all' }).click()],
    ]) {
      await act();
      const { perSecond, longestMs } = await framesDuring(page, () => pan(page));
      console.log(
        `measured: panning ${what}: ${perSecond.toFixed(0)} frames/s, longest ${longestMs.toFixed(0)} ms`,
      );
      await shoot(page, `graph-large-${what.replace(' ', '-')}`);
    }
    await page.getByLabel('Search nodes').fill('p123 joined');
    await page.locator('[data-id="p123/joined"]').click();
    await page.locator('.node-card').waitFor();
    assert.match(page.url(), /node=p123/);
    await shoot(page, 'graph-large-found');
    await mustBeAccessible(page, 'the large graph');
  }));
