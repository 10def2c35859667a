"""What a JupyterHub must know of this course: The Littlest JupyterHub and others read this file.

A link to it in `jupyterhub_config.d/` is enough, see README.md. The course is where this file is.
"""

from pathlib import Path

COURSE = Path(__file__).resolve().parents[1]

c = get_config()  # noqa: F821  JupyterHub gives it

c.Spawner.environment = {
    # The faces, decoded once for all; everybody may read them, and nobody may write there.
    "LATENT_FACES_DATA": str(COURSE / "data"),
    # In the copy that the link of README.md makes, so that it stands in the file browser.
    "LATENT_FACES_RUNS": "~/latent-faces/runs",
}
c.Spawner.default_url = "/lab"
