"""Settings of Sphinx for the site; tools/site.py gathers the sources and starts it."""

import hashlib
import os
import sys
import tomllib
from pathlib import Path

from docutils import nodes
from PIL import Image
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(Path(__file__).parent))  # docstrings.py
REPOSITORY = os.environ.get("LATENT_FACES_REPOSITORY", "")  # set by tools/site.py, as the next
HAS_COLAB = os.environ.get("LATENT_FACES_COLAB") == "yes"

project = "Latent Faces"
author = "the Latent Faces authors"
project_copyright = "the Latent Faces authors. Text and figures: CC BY 4.0. Code: MIT."
version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
language = "en"

extensions = ["myst_nb", "sphinx.ext.autodoc", "docstrings"]
exclude_patterns = ["README.md"]  # pages include parts of it
default_role = "py:obj"  # `name` in a docstring

# Notebooks are shown as they are committed.
nb_execution_mode = "off"
nb_merge_streams = True
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4  # the anchors of headings are those of the repository's host
myst_dmath_double_inline = True

autodoc_inherit_docstrings = False  # those of Keras are Markdown
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True

STUDIO = """<p>The studio also has <a href="studio.html">a page of its own</a>, which you can share
with the face and the sliders as you have set them.</p>"""

templates_path = ["_templates"]
html_theme = "sphinx_book_theme"
html_title = project
html_short_title = project
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_favicon = "_static/favicon.svg"
html_copy_source = False
html_show_sphinx = False
html_last_updated_fmt = None
mathjax_path = "mathjax/mathjax/tex-chtml.js"  # tools/site.py puts it there
mathjax4_config = {"loader": {"paths": {"fonts": "[mathjax]/../fonts", "sre": "[mathjax]/sre"}}}

html_context = {"default_mode": "auto"}  # light or dark, as the reader's system
html_theme_options = {
    "home_page_in_toc": True,
    "max_navbar_depth": 1,
    "search_bar_text": "Search the course",
    "show_toc_level": 2,
    "use_download_button": False,
    "use_fullscreen_button": False,
}
if REPOSITORY:
    launch = {"binderhub_url": "https://mybinder.org", "notebook_interface": "jupyterlab"}
    if HAS_COLAB:
        launch["colab_url"] = "https://colab.research.google.com"
    html_theme_options |= {
        "repository_url": REPOSITORY,
        "repository_branch": "main",
        "use_repository_button": True,
        "launch_buttons": launch,
    }


class ImageSizes(SphinxPostTransform):
    """Give each picture its size, so that nothing moves when it arrives, and load it when seen."""

    default_priority = 900

    def run(self, **_: object) -> None:
        """Change the pictures of one page."""
        for first, node in enumerate(self.document.findall(nodes.image)):
            path = Path(self.env.srcdir, node["uri"])
            if path.suffix in {".png", ".jpg", ".jpeg", ".gif", ".webp"} and path.exists():
                with Image.open(path) as picture:
                    node["width"], node["height"] = map(str, picture.size)
            if first:
                node["loading"] = "lazy"


def page_context(app: Sphinx, page: str, _template: str, context: dict, _tree: object) -> None:
    """Tell the template whether a page has live faces; link to the studio if the site has it."""
    site, body = Path(app.outdir), context.get("body", "")
    context["live"] = 'class="latent-faces"' in body and (site / "live" / "live.js").exists()
    if body:  # values of the reference that are paths: without the machine that built it
        context["body"] = body = body.replace(f"{ROOT}/", "")
    if page == "index":
        link = STUDIO if (site / "studio.html").exists() else ""
        context["body"] = body.replace("<!-- the studio -->", link)


def setup(app: Sphinx) -> None:
    """Register what is defined here."""
    code = Path(__file__).with_name("docstrings.py").read_bytes()
    app.add_config_value(
        "docstrings", hashlib.sha256(code).hexdigest(), "env"
    )  # new: read all anew
    app.add_post_transform(ImageSizes)
    app.connect("html-page-context", page_context)
