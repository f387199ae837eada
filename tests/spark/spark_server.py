"""A real Spark Connect server with Delta on loopback, for tests."""
import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import pyspark

from harness import environment

START_SECONDS_MAX = 240
CONFIG = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.ui.enabled": "false",
    "spark.sql.shuffle.partitions": "2",
    "spark.connect.grpc.binding.address": "127.0.0.1",
    "spark.databricks.delta.snapshotPartitions": "2",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
}


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class SparkServer:
    """The server; ends by its process id. `remote` is its address for pipelines."""

    def __init__(self):
        jars = environment.delta_jars()
        if not jars:
            if os.environ.get("LAKEMILL_SKIP_TEST_ENV") == "1":
                environment.skip("the jars of Delta for Spark were left out")
            sys.exit("no jars of Delta for Spark: run tools/test_env.sh")
        # Who is told to end (a test's timeout) ends the server too.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        self.port = free_port()
        self.remote = f"sc://127.0.0.1:{self.port}"
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="lakemill-spark-"))
        self.log = self.folder / "server.log"
        home = pathlib.Path(pyspark.__file__).parent
        config = {**CONFIG, "spark.connect.grpc.binding.port": str(self.port),
                  "spark.sql.warehouse.dir": str(self.folder / "warehouse"),
                  "spark.driver.extraJavaOptions":
                      f"-Duser.timezone=UTC -Dderby.system.home={self.folder} "
                      "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"}
        command = [str(home / "bin/spark-submit"), "--master", "local[2]", "--driver-memory", "1g",
                   "--class", "org.apache.spark.sql.connect.service.SparkConnectServer",
                   "--jars", ",".join(jars)]
        for key, value in config.items():
            command += ["--conf", f"{key}={value}"]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [*command, "spark-internal"], stdout=log, stderr=log, cwd=self.folder,
                env={**os.environ, "SPARK_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1"},
                start_new_session=True)
        try:
            self._await()
        except BaseException:
            self.stop()
            raise

    def _await(self) -> None:
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                sys.exit(f"Spark did not start:\n{self.log.read_text()[-3000:]}")
            if "Spark Connect server started" in self.log.read_text():
                return
            time.sleep(0.3)
        sys.exit(f"Spark did not start within {START_SECONDS_MAX} s")

    def stop(self) -> None:
        """Ends the server and waits until it is gone."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
