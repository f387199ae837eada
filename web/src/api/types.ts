// What the API answers, version 1. Instants are UTC: "2026-01-31T23:59:59.123456Z".

export type Instant = string;

export type PipelineState = 'idle' | 'running' | 'queued' | 'paused' | 'invalid';
export type RunStatus = 'queued' | 'running' | 'waiting_to_retry' | 'ended';
export type RunOutcome = 'succeeded' | 'failed' | 'cancelled' | 'interrupted';
export type NodeStatus = 'running' | 'succeeded' | 'skipped' | 'failed' | 'blocked' | 'cancelled';
export type NodeState = NodeStatus | 'none';
export type Layer = 'BRONZE' | 'SILVER' | 'GOLD';
export type EventLevel = 'debug' | 'info' | 'warning' | 'error';

export interface Trigger {
  kind: string;
  text: string;
  next: Instant | null;
}

export interface Run {
  run_id: string;
  pipeline: string;
  status: RunStatus;
  /** Of an ended run. */
  outcome: RunOutcome | null;
  actor: string | null;
  trigger: string | null;
  requested_at: Instant | null;
  started_at: Instant | null;
  ended_at: Instant | null;
  /** When a run that is waiting to retry goes on. */
  retry_at: Instant | null;
  attempt: number;
  failures: number;
  cancel_requested: boolean;
  message: string | null;
  selectors: string[];
  full_refresh: boolean;
  parameters: Record<string, string>;
}

export interface RunNode {
  node: string;
  status: NodeStatus;
  started_at: Instant | null;
  ended_at: Instant | null;
  rows_written: number | null;
  message: string | null;
}

export interface RunDetail extends Run {
  nodes: RunNode[];
}

export interface Pipeline {
  name: string;
  file: string;
  description: string | null;
  owner: string | null;
  tags: string[];
  state: PipelineState;
  paused: boolean;
  /** Why the file as it is now is invalid; the last valid one stays in force. */
  error: string | null;
  triggers: Trigger[];
  nodes: number;
  open_runs: Run[];
  last_run: Run | null;
}

export interface Counts {
  pipelines: number;
  invalid: number;
  paused: number;
  running: number;
  queued: number;
  /** Pipelines whose newest ended run did not succeed. */
  failing: number;
}

export interface Overview {
  project: string;
  member: string;
  version: string;
  now: Instant;
  started_at: Instant;
  counts: Counts;
  pipelines: Pipeline[];
  runs: Run[];
}

export interface GraphNode {
  name: string;
  layer: Layer | null;
  table: string | null;
  upstream: string[];
  state: NodeState;
  rows_written: number | null;
  at: Instant | null;
  message: string | null;
}

export interface PipelineGraph {
  pipeline: string;
  nodes: GraphNode[];
}

export interface JoinedNode extends GraphNode {
  pipeline: string;
}

/** From and to are "<pipeline>/<node>". */
export interface GraphEdge {
  from: string;
  to: string;
  rows: number | null;
}

export interface Graph {
  nodes: JoinedNode[];
  edges: GraphEdge[];
}

export interface LakeEvent {
  id: string;
  time: Instant;
  level: EventLevel;
  type: string;
  run_id: string | null;
  pipeline: string | null;
  node: string | null;
  table_name: string | null;
  version: number | null;
  batch: number | null;
  message: string | null;
  details: Record<string, unknown> | null;
}

/** RFC 9457. */
export interface Problem {
  type: string;
  status: number;
  title: string;
  detail: string;
  code: string;
}

export interface Started {
  run_id: string;
  is_new: boolean;
}

export interface RunRequest {
  selectors?: string[];
  full_refresh?: boolean;
  parameters?: Record<string, string>;
  priority?: number;
}
