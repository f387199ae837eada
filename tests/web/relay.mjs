// A line between the browser and the server that can be cut. The browser is told to connect
// here for the server's own address, so that no header shows it.
import net from 'node:net';

export class Relay {
  #sockets = new Set();
  #isCut = false;

  /** Begins to pass on connections to `url`; the port it listens on. */
  async open(url) {
    const { hostname, port } = new URL(url);
    this.server = net.createServer((near) => {
      if (this.#isCut) {
        near.destroy();
        return;
      }
      const far = net.connect(Number(port), hostname);
      for (const [one, other] of [
        [near, far],
        [far, near],
      ]) {
        this.#sockets.add(one);
        one.pipe(other);
        one.on('error', () => other.destroy());
        one.on('close', () => {
          this.#sockets.delete(one);
          other.destroy();
        });
      }
    });
    await new Promise((done) => this.server.listen(0, '127.0.0.1', done));
    return this.server.address().port;
  }

  /** Ends all connections, and lets none be until mend(). */
  cut() {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend() {
    this.#isCut = false;
  }

  close() {
    this.cut();
    this.server.close();
  }
}
