// Asks for a run of a part of a pipeline, from the beginning, or with parameters.
import { useRef, useState } from 'preact/hooks';
import { startRun } from '../api/client';
import type { GraphNode } from '../api/types';
import { showDone, showFault } from '../shell/notices';
import { go } from '../shell/router';
import { runPath } from './actions';

/** Lines "name=value"; an empty line says nothing. */
function parametersOf(text: string): Record<string, string> {
  const parameters: Record<string, string> = {};
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    const equals = line.indexOf('=');
    if (equals <= 0) throw new Error(`'${line}' is not name=value`);
    parameters[line.slice(0, equals).trim()] = line.slice(equals + 1).trim();
  }
  return parameters;
}

export function RunWith({ pipeline, nodes }: { pipeline: string; nodes: GraphNode[] }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    setBusy(true);
    try {
      const { run_id } = await startRun(pipeline, {
        selectors: String(form.get('selectors'))
          .split(/[\s,]+/)
          .filter(Boolean),
        full_refresh: form.get('full_refresh') !== null,
        parameters: parametersOf(String(form.get('parameters'))),
      });
      dialog.current?.close();
      showDone(`A run of ${pipeline} was asked for`);
      go(runPath(run_id));
    } catch (cause) {
      showFault(cause);
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <button onClick={() => dialog.current?.showModal()}>Run with…</button>
      <dialog ref={dialog} aria-labelledby="run-with">
        <form onSubmit={submit}>
          <h2 id="run-with">Run {pipeline} with</h2>
          <label>
            <span>Nodes</span>
            <input type="text" name="selectors" list="run-with-nodes" placeholder="all" />
            <small>Selectors as on the command line: orders, +daily_revenue, tag:core</small>
          </label>
          <datalist id="run-with-nodes">
            {nodes.map(({ name }) => (
              <option key={name} value={name} />
            ))}
          </datalist>
          <label>
            <span>Parameters</span>
            <textarea name="parameters" rows={3} placeholder="name=value, one a line" />
          </label>
          <label class="check">
            <input type="checkbox" name="full_refresh" />
            <span>
              Full refresh
              <small>Tables are made again from all of their sources</small>
            </span>
          </label>
          <div class="dialog-foot">
            <button type="button" onClick={() => dialog.current?.close()}>
              Close
            </button>
            <button type="submit" class="primary" disabled={isBusy}>
              Run
            </button>
          </div>
        </form>
      </dialog>
    </>
  );
}
