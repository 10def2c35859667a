// What stands in the place of anywidget's model: state that a view and a kernel in the page share.

function same(one, other) {
  if (one === other) return true;
  if (ArrayBuffer.isView(one) || ArrayBuffer.isView(other)) return false;
  return JSON.stringify(one) === JSON.stringify(other);
}

export class PageModel {
  constructor(state, id) {
    this.state = { ...state };
    this.model_id = id;
    this.listeners = new Map(); // event -> set of actions
    this.unsent = new Set(); // names that the view has changed
    this.kernel = null;
  }

  get(name) {
    return this.state[name];
  }

  // By the view: a name and its value, or several names.
  set(name, value) {
    const changed = this.update(typeof name === "string" ? { [name]: value } : name);
    for (const each of changed) this.unsent.add(each);
  }

  save_changes() {
    const names = [...this.unsent];
    this.unsent.clear();
    if (names.length) this.kernel.changed(names);
  }

  // By the view, to the kernel.
  send(content, _, buffers = []) {
    this.kernel.message(content, buffers);
  }

  // By the kernel: all values change before the first listener hears of it.
  update(values) {
    const changed = Object.keys(values).filter((name) => !same(this.state[name], values[name]));
    Object.assign(this.state, values);
    for (const name of changed) this.tell(`change:${name}`);
    return changed;
  }

  // By the kernel, to the view.
  answer(content, buffers = []) {
    this.tell("msg:custom", content, buffers);
  }

  on(events, action) {
    for (const event of events.split(" ")) {
      if (!this.listeners.has(event)) this.listeners.set(event, new Set());
      this.listeners.get(event).add(action);
    }
  }

  off(events, action) {
    for (const event of events.split(" ")) this.listeners.get(event)?.delete(action);
  }

  tell(event, ...values) {
    for (const action of this.listeners.get(event) ?? []) action(...values);
  }
}
