// Requests to the API. Every failure is an ApiError whose message a person can act on.
import type { Pipeline, Problem, Run, RunRequest, Started } from './types';

export const API = '/api/v1';

export class ApiError extends Error {
  constructor(
    /** 0: there was no answer, or none that can be read. */
    readonly status: number,
    readonly title: string,
    readonly detail: string,
  ) {
    super(detail || title);
  }
}

/** A path with its query; what is null, undefined or empty is left out. */
export function withQuery(
  path: string,
  query: Record<string, string | number | null | undefined>,
): string {
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== '') words.set(name, String(value));
  }
  const text = words.toString();
  return text ? `${path}?${text}` : path;
}

async function problemOf(answer: Response): Promise<ApiError> {
  const type = answer.headers.get('content-type') ?? '';
  if (type.startsWith('application/problem+json')) {
    const problem = (await answer.json()) as Partial<Problem>;
    return new ApiError(answer.status, problem.title ?? answer.statusText, problem.detail ?? '');
  }
  return new ApiError(answer.status, answer.statusText || `status ${answer.status}`, '');
}

async function request<T>(path: string, options: RequestInit): Promise<T> {
  try {
    const answer = await fetch(API + path, {
      ...options,
      headers: { accept: 'application/json', ...options.headers },
      credentials: 'same-origin',
      cache: 'no-store',
    });
    if (!answer.ok) throw await problemOf(answer);
    return (await answer.json()) as T;
  } catch (cause) {
    if (options.signal?.aborted || cause instanceof ApiError) throw cause;
    if (cause instanceof SyntaxError)
      throw new ApiError(0, 'The answer cannot be read', cause.message);
    throw new ApiError(0, 'The server cannot be reached', '');
  }
}

/** GET below /api/v1. */
export function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return request<T>(path, signal ? { signal } : {});
}

function post<T>(path: string, body: unknown, headers: Record<string, string> = {}): Promise<T> {
  return request<T>(path, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', 'x-requested-with': 'lakemill', ...headers },
  });
}

function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

const segment = encodeURIComponent;

/** Asks for a run. The key makes a request that is sent twice one run. */
export function startRun(pipeline: string, wish: RunRequest = {}): Promise<Started> {
  return post(`/pipelines/${segment(pipeline)}/runs`, wish, { 'idempotency-key': randomKey() });
}

export function pause(pipeline: string): Promise<Pipeline> {
  return post(`/pipelines/${segment(pipeline)}/pause`, {});
}

export function resume(pipeline: string): Promise<Pipeline> {
  return post(`/pipelines/${segment(pipeline)}/resume`, {});
}

export function cancelRun(run: string): Promise<Run> {
  return post(`/runs/${segment(run)}/cancel`, {});
}

export function retryRun(run: string, from: 'FAILED' | 'BEGINNING'): Promise<Started> {
  return post(`/runs/${segment(run)}/retry`, { from });
}
