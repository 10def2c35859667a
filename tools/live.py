"""Make the live widgets of the web pages: build/live, or the folder named.

python tools/live.py [FOLDER]    makes FOLDER/live and FOLDER/studio.html; serve FOLDER with
                                 python -m http.server
"""

import hashlib
import json
import shutil
import subprocess
import sys
import zlib
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from groundwork.commands import sentence  # noqa: E402
from groundwork.files import write_whole  # noqa: E402
from tools.npm import fetch  # noqa: E402

SOURCE = ROOT / "web" / "live"
PACKAGES = ROOT / "build" / "npm-live"  # ONNX Runtime Web, in the version of package-lock.json
WIDGETS = ROOT / "vaelib" / "widgets"
NAMES = ("studio", "morph", "explorer", "inside")
CACHE = ROOT / "build" / "live-models"
NOTE = "This is a picture of the widget. With scripts and WebAssembly, it becomes live."
PACKED = (".onnx", ".bin")  # compressed here, since many servers don't compress them
GZIP = 31  # zlib's name of that format, without a date
# What the exported models depend on.
DEPENDS = (
    *(f"vaelib/{name}.py" for name in ("export", "graph", "latent", "latent_model", "model")),
    *("vaelib/scales.py", "tools/live_models.py", "portraits/version.py"),
    *(f"data/pretrained/{name}" for name in ("vae.keras", "vae-128.keras", "vectors-128.csv")),
)


def main() -> None:
    """Build into the folder named on the command line, or build/live."""
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "live"
    try:
        build_live(out)
    except OSError as error:
        sys.exit(sentence(error))
    size = sum(path.stat().st_size for path in (out / "live").rglob("*") if path.is_file())
    print(f"{out / 'studio.html'} and {out / 'live'} are made: {size / 1e6:.0f} MB.")


def build_live(out: Path, course: str = "") -> None:
    """Make `out`/live, which the pages of a site share, and `out`/studio.html.

    Args:
        out: the folder of the site.
        course: where studio.html finds the course's front page, such as "index.html"; without it
            the page names the course and has no link.

    Raises:
        OSError: npm is missing, or could not fetch ONNX Runtime Web, or the models could not be
            exported (one sentence).
    """
    runtime = fetch(SOURCE, PACKAGES) / "onnxruntime-web" / "dist"
    models = exported_models()
    live = out / "live"
    shutil.rmtree(live, ignore_errors=True)
    (live / "widgets").mkdir(parents=True)
    shutil.copytree(SOURCE / "kernels", live / "kernels")
    for path in [*SOURCE.glob("*.js"), *SOURCE.glob("*.css")]:
        shutil.copyfile(path, live / path.name)
    for name in NAMES:
        parts = [(WIDGETS / part).read_text("utf-8") for part in ("common.js", f"{name}.js")]
        write_whole(live / "widgets" / f"{name}.js", "".join(parts))
    styles = [WIDGETS / "widgets.css", WIDGETS / "inside.css", SOURCE / "live.css"]
    write_whole(live / "live.css", "".join(path.read_text("utf-8") for path in styles))
    shutil.copyfile(runtime / "ort.wasm.min.mjs", live / "ort.mjs")
    shutil.copyfile(runtime / "ort-wasm-simd-threaded.mjs", live / "ort-wasm.mjs")
    pack(runtime / "ort-wasm-simd-threaded.wasm", live / "ort.wasm.gz")
    for path in sorted(models.rglob("*")):
        copy = live / "models" / path.relative_to(models)
        if path.is_dir():
            copy.mkdir(parents=True)
        elif path.suffix in PACKED:
            target = live / path.name if path.parent == models else copy
            pack(path, target.with_name(f"{path.name}.gz"))
        elif path.suffix == ".jpg" and path.parent == models:
            shutil.copyfile(path, live / path.name)
        else:
            shutil.copyfile(path, copy)
    write_whole(live / "widgets.json", json.dumps(settings()))
    page = (SOURCE / "studio.html").read_text("utf-8")
    write_whole(out / "studio.html", page.replace("<!-- course -->", way_into_course(course)))


def place(widget: str, picture: str, size: int = 64, **more: str) -> str:
    """The place of a widget in a page: a picture and a sentence until it is live.

    Args:
        widget: one of NAMES.
        picture: HTML or Markdown that shows how the widget looks.
        size: of the faces, in pixels: 64 or 128.
        more: attributes that live.js reads, without `data-`: `options` is JSON, what the widget
            begins with.

    Returns:
        HTML; the page takes live.css and live.js from the folder live/.
    """
    data = {"widget": widget, "model": str(size), **more}
    attributes = " ".join(f'data-{name}="{escape(value)}"' for name, value in data.items())
    return noted(f'class="latent-faces" {attributes}', picture, NOTE)


def noted(attributes: str, picture: str, note: str) -> str:
    """An element of HTML with a picture, which may be Markdown, and a note below it."""
    return f'<div {attributes}>\n\n{picture}\n\n<p class="live-note">{note}</p>\n</div>\n'


def way_into_course(address: str) -> str:
    """The sentence of studio.html about the course."""
    name = f'<a href="{address}">Latent Faces</a>' if address else "<em>Latent Faces</em>"
    return (
        f"It comes from the course {name}: eight Jupyter notebooks, from loading faces to this "
        "studio and to whom such a model fails."
    )


def settings() -> dict:
    """What live.js reads first: the sentences, and what each widget begins with."""
    words = json.loads((ROOT / "vaelib" / "sentences.json").read_text("utf-8"))
    return {
        "words": words,
        "options": json.loads((CACHE / "models/options.json").read_text("utf-8")),
    }


def exported_models() -> Path:
    """The folder with both models; they are exported anew when something they come from changed."""
    digest = hashlib.sha256()
    for name in DEPENDS:
        digest.update((ROOT / name).read_bytes())
    key = digest.hexdigest()
    mark = CACHE / "key.txt"
    if not mark.exists() or mark.read_text("utf-8") != key:
        shutil.rmtree(CACHE, ignore_errors=True)
        CACHE.mkdir(parents=True)
        command = [sys.executable, "-m", "tools.live_models", str(CACHE / "models")]
        if subprocess.call(command, cwd=ROOT):
            raise OSError("The models could not be exported: see above.")
        write_whole(mark, key)
    return CACHE / "models"


def pack(source: Path, to: Path) -> None:
    """Compress a file; the same bytes give the same file at any time.

    Weights hardly repeat, so for them only the frequencies of the bytes count.
    """
    strategy = zlib.Z_FILTERED if source.suffix == ".onnx" else zlib.Z_DEFAULT_STRATEGY
    packer = zlib.compressobj(9, zlib.DEFLATED, GZIP, strategy=strategy)
    write_whole(to, packer.compress(source.read_bytes()) + packer.flush())


if __name__ == "__main__":
    main()
