"""Whether a page waits for an answer: of its kernel, or of the model in a live page."""

from playwright.sync_api import Page

# Questions without an answer, from now on. A kernel that is idle again after a message has answered
# it. Nobody waits for what a widget asks for ahead.
FOLLOW = """() => {
  if (window.unanswered) return false;
  const open = (window.unanswered = new Set());
  const kernel = window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel;
  kernel?.anyMessage.connect((_, { direction, msg }) => {
    const isAhead = msg.content.data?.content?.action === "ahead";
    if (direction === "send" && msg.channel === "shell" && !isAhead) open.add(msg.header.msg_id);
    if (msg.header.msg_type === "status" && msg.content.execution_state === "idle") {
      open.delete(msg.parent_header.msg_id);
    }
  });
  const post = Worker.prototype.postMessage;
  const workers = new Map();
  Worker.prototype.postMessage = function (data, ...more) {
    if (!workers.has(this)) {
      const number = workers.size;
      workers.set(this, number);
      this.addEventListener("message", (event) => open.delete(`${number} ${event.data?.id}`));
    }
    if (data?.id !== undefined && !data.group) open.add(`${workers.get(this)} ${data.id}`);
    return post.call(this, data, ...more);
  };
  return true;
}"""


def wait_for_answers(page: Page) -> None:
    """Wait until all that the page has asked is answered; from the first call on, it counts."""
    if page.evaluate(FOLLOW):
        page.wait_for_timeout(500)  # what was asked before
    page.wait_for_function("() => window.unanswered.size === 0", timeout=60_000)
