// The nodes of a run along time: a row each, with its bar.
import type { RunDetail, RunNode } from '../api/types';
import { count, duration } from './format';
import { Status, toneOf, wordOf } from './status';
import { Duration, nowMs } from './time';

interface Range {
  begin: number;
  length: number;
}

const kStepsMs = [
  100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000,
  900_000, 1_800_000, 3_600_000, 7_200_000, 21_600_000, 43_200_000, 86_400_000,
];
const kTicksMax = 6;
const kRowHeight = 22;

function rangeOf(run: RunDetail): Range {
  const begin = Date.parse(run.started_at ?? run.requested_at ?? '');
  const end = run.ended_at === null ? nowMs() : Date.parse(run.ended_at);
  const last = Math.max(end, ...run.nodes.map((node) => Date.parse(node.ended_at ?? '') || 0));
  return { begin, length: Math.max(run.ended_at === null ? 5_000 : 100, last - begin) };
}

/** Instants behind the begin that have a line, in milliseconds. */
function ticksOf({ length }: Range): number[] {
  const step = kStepsMs.find((ms) => length / ms <= kTicksMax) ?? length;
  return Array.from({ length: Math.floor(length / step) + 1 }, (_, index) => index * step);
}

function tickWord(ms: number): string {
  if (ms === 0) return '0';
  if (ms < 60_000) return `${ms / 1000} s`;
  if (ms < 3_600_000)
    return `${Math.floor(ms / 60_000)}:${String((ms / 1000) % 60).padStart(2, '0')}`;
  return `${(ms / 3_600_000).toFixed(ms % 3_600_000 === 0 ? 0 : 1)} h`;
}

function percent(part: number, { length }: Range): string {
  return `${((100 * part) / length).toFixed(3)}%`;
}

function Bar({ node, range, ticks }: { node: RunNode; range: Range; ticks: number[] }) {
  const begin = Date.parse(node.started_at ?? '') - range.begin;
  const end = (node.ended_at === null ? nowMs() : Date.parse(node.ended_at)) - range.begin;
  const label = `${wordOf(node.status)}, begun after ${duration(begin)}, ${duration(end - begin)} long`;
  return (
    <svg class="bar-row" width="100%" height={kRowHeight} role="img" aria-label={label}>
      {ticks.map((ms) => (
        <line key={ms} x1={percent(ms, range)} x2={percent(ms, range)} y1="-10" y2="40" />
      ))}
      {node.started_at !== null && (
        <rect
          class={`bar bar-${node.status} tone-${toneOf(node.status)}`}
          x={percent(begin, range)}
          width={percent(Math.max(end - begin, range.length / 300), range)}
          y="5"
          height={kRowHeight - 10}
          rx="3"
        >
          <title>{label}</title>
        </rect>
      )}
    </svg>
  );
}

function Axis({ range, ticks }: { range: Range; ticks: number[] }) {
  return (
    <svg class="bar-row" width="100%" height="16" aria-hidden="true">
      {ticks.map((ms) => (
        <text
          key={ms}
          x={percent(ms, range)}
          y="12"
          text-anchor={ms === 0 ? 'start' : ms > 0.96 * range.length ? 'end' : 'middle'}
        >
          {tickWord(ms)}
        </text>
      ))}
    </svg>
  );
}

export function Timeline({ run }: { run: RunDetail }) {
  const range = rangeOf(run);
  const ticks = ticksOf(range);
  const nodes = [...run.nodes].sort((a, b) =>
    (a.started_at ?? '') < (b.started_at ?? '') ? -1 : 1,
  );
  return (
    <div class="table-scroll">
      <table class="rows timeline">
        <caption class="visually-hidden">Nodes of the run in the order they began</caption>
        <thead>
          <tr>
            <th scope="col">Node</th>
            <th scope="col">State</th>
            <th scope="col" class="right">
              Rows
            </th>
            <th scope="col" class="right">
              Duration
            </th>
            <th scope="col" class="timeline-bars">
              <span class="visually-hidden">Timeline</span>
              <Axis range={range} ticks={ticks} />
            </th>
          </tr>
        </thead>
        <tbody>
          {nodes.map((node) => (
            <tr key={node.node} data-node={node.node}>
              <th scope="row">{node.node}</th>
              <td>
                <Status state={node.status} />
              </td>
              <td class="right number">
                {node.rows_written === null ? (
                  <span class="faint">–</span>
                ) : (
                  count(node.rows_written)
                )}
              </td>
              <td class="right">
                <Duration from={node.started_at} to={node.ended_at} />
              </td>
              <td class="timeline-bars">
                <Bar node={node} range={range} ticks={ticks} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
