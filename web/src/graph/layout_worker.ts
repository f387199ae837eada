// Runs the layout beside the page, which stays usable meanwhile.
import { layOut, type LayoutInput } from './layout';

addEventListener('message', (message: MessageEvent<{ number: number; input: LayoutInput }>) => {
  const { number, input } = message.data;
  postMessage({ number, layout: layOut(input) });
});
