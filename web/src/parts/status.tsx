// States of pipelines, runs and nodes: one word, one shape, one tone each.
import type { Run } from '../api/types';
import { Icon, isIcon } from './icon';

/** Which of the colours of the style sheet a state has. */
export type Tone = 'good' | 'bad' | 'busy' | 'warn' | 'calm';

const kTones: Record<string, Tone> = {
  succeeded: 'good',
  failed: 'bad',
  error: 'bad',
  running: 'busy',
  waiting_to_retry: 'warn',
  interrupted: 'warn',
  blocked: 'warn',
  invalid: 'bad',
  warning: 'warn',
};

const kWords: Record<string, string> = {
  waiting_to_retry: 'waiting to retry',
  none: 'not run yet',
  blocked: 'blocked by a failure before it',
  stopping: 'cancelling',
};

export function toneOf(state: string): Tone {
  return kTones[state] ?? 'calm';
}

export function wordOf(state: string): string {
  return kWords[state] ?? state.replace(/_/g, ' ');
}

/** An ended run's outcome, else its status. */
export function stateOf(run: Run): string {
  return run.status === 'ended' ? (run.outcome ?? 'ended') : run.status;
}

interface StatusProps {
  state: string;
  /** Only the shape is seen; the word is for screen readers. */
  compact?: boolean;
  /** Another word than the state's own. */
  word?: string;
}

export function Status({ state, compact, word }: StatusProps) {
  const text = word ?? wordOf(state);
  return (
    <span
      class={`status tone-${toneOf(state)}`}
      title={compact ? text : undefined}
      data-state={state}
    >
      <Icon name={isIcon(state) ? state : 'none'} />
      <span class={compact ? 'visually-hidden' : undefined}>{text}</span>
    </span>
  );
}

export function RunStatus({ run, compact }: { run: Run; compact?: boolean }) {
  const isStopping = run.cancel_requested && run.status !== 'ended';
  return (
    <Status
      state={stateOf(run)}
      {...(compact ? { compact } : {})}
      {...(isStopping ? { word: 'cancelling' } : {})}
    />
  );
}
