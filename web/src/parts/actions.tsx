// Buttons that ask the server to do something, and say how that went.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { cancelRun, pause, resume, retryRun, startRun } from '../api/client';
import type { Pipeline, Run } from '../api/types';
import { showDone, showFault } from '../shell/notices';
import { go } from '../shell/router';
import { Icon, type IconName } from './icon';

/** "bare": the icon alone is seen, its name in the title. */
type Kind = 'primary' | 'danger' | 'bare';

interface ActionProps {
  icon: IconName;
  act: () => Promise<void>;
  children: ComponentChildren;
  /** Says of what, where the icon stands alone. */
  label?: string;
  kind?: Kind;
  disabled?: boolean;
}

/** A button that is off while its action goes on. */
export function Action({ icon, act, children, label, kind, disabled }: ActionProps) {
  const [isBusy, setBusy] = useState(false);
  const click = async () => {
    setBusy(true);
    try {
      await act();
    } catch (cause) {
      showFault(cause);
    } finally {
      setBusy(false);
    }
  };
  return (
    <button
      class={kind}
      aria-label={kind === 'bare' ? label : undefined}
      title={kind === 'bare' ? label : undefined}
      disabled={disabled || isBusy}
      onClick={click}
    >
      <Icon name={icon} />
      {kind !== 'bare' && children}
    </button>
  );
}

export function runPath(run: string): string {
  return `/runs/${encodeURIComponent(run)}`;
}

export function pipelinePath(pipeline: string): string {
  return `/pipelines/${encodeURIComponent(pipeline)}`;
}

export function RunNow({ pipeline, kind }: { pipeline: string; kind?: Kind }) {
  return (
    <Action
      icon="play"
      {...(kind ? { kind } : {})}
      label={`Run ${pipeline} now`}
      act={async () => {
        const { run_id } = await startRun(pipeline);
        showDone(`A run of ${pipeline} was asked for`);
        go(runPath(run_id));
      }}
    >
      Run now
    </Action>
  );
}

export function PauseOrResume({
  pipeline,
  kind,
  done,
}: {
  pipeline: Pipeline;
  kind?: Kind;
  done?: (changed: Pipeline) => void;
}) {
  const { name, paused } = pipeline;
  return (
    <Action
      icon={paused ? 'resume' : 'paused'}
      {...(kind ? { kind } : {})}
      label={`${paused ? 'Resume' : 'Pause'} ${name}`}
      act={async () => {
        done?.(await (paused ? resume(name) : pause(name)));
        showDone(paused ? `${name} goes on` : `${name} is paused: its triggers start nothing`);
      }}
    >
      {paused ? 'Resume' : 'Pause'}
    </Action>
  );
}

export function Cancel({ run, done }: { run: Run; done: (changed: Run) => void }) {
  return (
    <Action
      icon="stop"
      kind="danger"
      disabled={run.cancel_requested}
      act={async () => {
        done(await cancelRun(run.run_id));
        showDone('The run was asked to stop');
      }}
    >
      {run.cancel_requested ? 'Cancelling…' : 'Cancel run'}
    </Action>
  );
}

export function Retry({ run, from }: { run: Run; from: 'FAILED' | 'BEGINNING' }) {
  return (
    <Action
      icon="retry"
      {...(from === 'FAILED' ? { kind: 'primary' } : {})}
      act={async () => {
        const { run_id } = await retryRun(run.run_id, from);
        showDone('A new run was asked for');
        go(runPath(run_id));
      }}
    >
      {from === 'BEGINNING'
        ? 'Run all again'
        : run.outcome === 'failed'
          ? 'Retry what failed'
          : 'Run what is left'}
    </Action>
  );
}
