// Says that what is shown may be old, while the server cannot be reached.
import { connection, lostBecause, reconnectNow } from '../api/live';
import { Icon } from '../parts/icon';

export function Banner() {
  if (connection.value !== 'lost') return null;
  return (
    <div class="banner" role="alert" data-testid="lost">
      <Icon name="invalid" />
      <p>
        <strong>The server cannot be reached.</strong> What you see may be out of date. Trying again
        {lostBecause.value && ` (${lostBecause.value})`}…
      </p>
      <button onClick={reconnectNow}>Try now</button>
    </div>
  );
}
