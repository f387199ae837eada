"""A real S3 server (moto) on loopback for tests, with signatures and policies checked."""
import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time

import boto3

BUCKET = "lakemill-test"
SET_UP_CALLS = 4  # below: what the server lets pass before it asks for signatures
POLICY = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class S3Server:
    """The server with one user and one bucket; ends by its process id."""

    def __init__(self):
        # Who is told to end (a test's timeout) ends the server too.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.log = pathlib.Path(tempfile.mkdtemp(prefix="lakemill-s3-")) / "server.log"
        env = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        env["INITIAL_NO_AUTH_ACTION_COUNT"] = str(SET_UP_CALLS)
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)],
                stdout=log, stderr=log, env=env, start_new_session=True)
        try:
            self._await()
            self._set_up()
        except BaseException:
            self.stop()
            raise

    def _await(self) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                sys.exit(f"the S3 server did not start:\n{self.log.read_text()[-2000:]}")
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.1)
        sys.exit("the S3 server did not start within a minute")

    def _set_up(self) -> None:
        given = {"endpoint_url": self.endpoint, "region_name": "us-east-1",
                 "aws_access_key_id": "setup", "aws_secret_access_key": "setup"}
        iam = boto3.client("iam", **given)
        iam.create_user(UserName="lakemill")
        key = iam.create_access_key(UserName="lakemill")["AccessKey"]
        iam.put_user_policy(UserName="lakemill", PolicyName="all", PolicyDocument=POLICY)
        boto3.client("s3", **given).create_bucket(Bucket=BUCKET)
        self.key_id, self.secret = key["AccessKeyId"], key["SecretAccessKey"]

    def environment(self, endpoint: str | None = None) -> dict[str, str]:
        """What clients are told by the environment."""
        return {"AWS_ENDPOINT_URL": endpoint or self.endpoint, "AWS_REGION": "us-east-1",
                "AWS_ACCESS_KEY_ID": self.key_id, "AWS_SECRET_ACCESS_KEY": self.secret}

    def client(self):
        """boto3's client, to look behind the curtain."""
        return boto3.client("s3", endpoint_url=self.endpoint, region_name="us-east-1",
                            aws_access_key_id=self.key_id, aws_secret_access_key=self.secret)

    def keys(self, prefix: str) -> dict[str, str]:
        """Key → etag of everything below."""
        found: dict[str, str] = {}
        for page in self.client().get_paginator("list_objects_v2").paginate(
                Bucket=BUCKET, Prefix=prefix):
            found.update({item["Key"]: item["ETag"] for item in page.get("Contents", [])})
        return found

    def stop(self) -> None:
        """Ends the process."""
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
