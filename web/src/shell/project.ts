// Which project this is; asked for by the shell, told by every overview.
import { signal } from '@preact/signals';
import { get } from '../api/client';
import { listen } from '../api/live';
import { learnServerTime } from '../api/resource';
import type { Overview } from '../api/types';

export const project = signal<Overview | null>(null);

export function learn(overview: Overview): void {
  project.value = overview;
  learnServerTime(overview.now);
}

/** Asks now and after each reconnect: the server may be of another version then. */
export function startProject(): void {
  const ask = () => get<Overview>('/overview').then(learn, () => undefined);
  void ask();
  listen((told) => {
    if (told.kind === 'connected' && project.peek() === null) void ask();
  });
}
