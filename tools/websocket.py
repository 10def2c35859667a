"""A Jupyter connection that sends a kernel's answers without delay, for quicker sliders."""

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection


class PromptConnection(ZMQChannelsWebsocketConnection):
    """Jupyter's connection between page and kernel, without Nagle's algorithm.

    With the algorithm, a small message waits until the one before is acknowledged. Browsers delay
    that by about 40 ms, so every second movement of a slider would arrive that much later.
    """

    def connect(self):
        """Turn Nagle's algorithm off; called once for each page and kernel."""
        self.websocket_handler.set_nodelay(True)
        return super().connect()
