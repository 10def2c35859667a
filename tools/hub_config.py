"""A JupyterHub on this machine, for the test and the benchmark of hub/: tools/hub.py starts it.

It has what The Littlest JupyterHub or another one brings: a proxy, users, a way to log in. The
course's own settings come from hub/jupyterhub_config.py, as they do there.
"""

import json
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
given = json.loads(os.environ["HUB_SETTINGS"])

c = get_config()  # noqa: F821  JupyterHub gives it
load_subconfig(str(ROOT / "hub" / "jupyterhub_config.py"))  # noqa: F821

c.JupyterHub.bind_url = f"http://127.0.0.1:{given['port']}{given['prefix']}"
c.JupyterHub.hub_port = given["hub_port"]
c.JupyterHub.db_url = "sqlite:///:memory:"
c.JupyterHub.cookie_secret_file = str(Path(given["folder"]) / "cookie_secret")
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{given['api_port']}"
c.ConfigurableHTTPProxy.command = given["proxy"]
c.ConfigurableHTTPProxy.pid_file = str(Path(given["folder"]) / "proxy.pid")

c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = given["password"]
c.Authenticator.allowed_users = set(given["users"])

c.Spawner.cmd = given["server"]
c.Spawner.environment |= given["mark"]
c.Spawner.http_timeout = c.Spawner.start_timeout = 600  # seconds, where others compute, too
if given["real"]:
    c.JupyterHub.spawner_class = "localprocess"
else:
    c.JupyterHub.spawner_class = "simple"
    c.SimpleLocalProcessSpawner.home_dir_template = f"{given['homes']}/{{username}}"
    if os.geteuid() == 0:
        c.Spawner.args = ["--allow-root"]
