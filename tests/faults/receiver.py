"""A receiver of security events (RFC 8935) that remembers what it was sent, by whom and in which order."""

import base64
import json
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from world import Stage


@dataclass(frozen=True)
class Delivery:
    jti: str
    # The server that sent it: without a --public-url each signs in the name of its own address.
    sender: str


class Receiver:
    def __init__(self, stage: Stage):
        self.deliveries: list[Delivery] = []
        self.failing = False
        self.open = threading.Event()
        self.open.set()
        self.held: Delivery | None = None
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                token = self.rfile.read(int(self.headers["Content-Length"])).decode()
                self.send_response(receiver.take(token))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self.server.server_port}/events"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        stage.cleanup.callback(self.server.shutdown)

    def take(self, token: str) -> int:
        if self.failing:
            return 503
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        delivery = Delivery(claims["jti"], claims["iss"].split("/")[2])
        self.deliveries.append(delivery)
        if not self.open.is_set():
            self.held = delivery
            self.open.wait()
        return 202

    def hold(self) -> None:
        """Leaves the next ones without an answer."""
        self.held = None
        self.open.clear()

    def release(self) -> None:
        self.open.set()

    def senders(self, since: int = 0) -> set[str]:
        return {delivery.sender for delivery in self.deliveries[since:]}

    def first_times(self) -> list[str]:
        """Each event once, in the order in which they came first."""
        return list(dict.fromkeys(delivery.jti for delivery in self.deliveries))

    def most_times(self) -> int:
        jtis = [delivery.jti for delivery in self.deliveries]
        return max(jtis.count(jti) for jti in set(jtis))
