// Asks the worker for layouts. The last one is kept, for a page that is opened again.
import type { Layout, LayoutInput } from './layout';
import workerUrl from './layout_worker?worker&url';

interface ScriptUrlPolicy {
  createScriptURL(url: string): string;
}
interface PolicyMaker {
  createPolicy(name: string, rules: ScriptUrlPolicy): ScriptUrlPolicy;
}

let worker: Worker | null = null;
let last: { key: string; layout: Promise<Layout> } | null = null;
let asked = 0;

/** The content-security policy wants script addresses to be vouched for. */
function vouched(url: string): string {
  const types = (globalThis as { trustedTypes?: PolicyMaker }).trustedTypes;
  if (!types) return url;
  const policy = types.createPolicy('lakemill-worker', {
    createScriptURL: (wish) => {
      if (new URL(wish, location.href).origin !== location.origin) throw new TypeError(wish);
      return wish;
    },
  });
  return policy.createScriptURL(url);
}

/** The layout of `input`; `key` stands for what it is made from. */
export function layoutOf(key: string, input: () => LayoutInput): Promise<Layout> {
  if (last?.key === key) return last.layout;
  worker ??= new Worker(vouched(workerUrl), { type: 'module' });
  const asking = worker;
  const number = ++asked;
  const layout = new Promise<Layout>((resolve, reject) => {
    const take = (message: MessageEvent<{ number: number; layout: Layout }>) => {
      if (message.data.number !== number) return;
      asking.removeEventListener('message', take as EventListener);
      resolve(message.data.layout);
    };
    asking.addEventListener('message', take as EventListener);
    asking.addEventListener('error', () => reject(new Error('the layout failed')), { once: true });
  });
  asking.postMessage({ number, input: input() });
  last = { key, layout };
  return layout;
}
