"""A Jupyter server that sends what a kernel answers at once: sliders follow the hand sooner."""

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection


class PromptConnection(ZMQChannelsWebsocketConnection):
    """Jupyter's connection between page and kernel, without Nagle's algorithm.

    With it, a small message waits until the one before has been acknowledged, which browsers put
    off by some 40 ms: every second movement of a slider would come that much later.
    """

    def connect(self):
        """Called once for each page and kernel."""
        self.websocket_handler.set_nodelay(True)
        return super().connect()
