"""Flask-SocketIO as it is meant to be used for this: a room, and an emit to the room for every frame that is published."""

import socket

from gevent import monkey

monkey.patch_all()

from flask import Flask  # noqa: E402
from flask_socketio import SocketIO, join_room  # noqa: E402

app = Flask(__name__)
socketio = SocketIO(app, async_mode="gevent")


@socketio.on("join")
def join():
    join_room("session")


@socketio.on("publish")
def publish(frame):
    socketio.emit("telemetry", frame, to="session")


with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]

print(f"listening on 127.0.0.1:{port}", flush=True)
socketio.run(app, host="127.0.0.1", port=port, log_output=False)
