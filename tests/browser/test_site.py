"""The web site in a browser that reaches no other host: every page, search, small screens, axe."""

import re
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest

from tools import browser, npm

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "build" / "site"
AXE = ROOT / "build" / "npm" / "node_modules" / "axe-core" / "axe.min.js"
SCREENSHOTS = ROOT / "build" / "screenshots"
KINDS = (  # a page of each kind
    *("index", "start", "docs/glossary", "docs/portraits", "docs/results"),
    *("docs/teaching/90_minutes", "docs/teaching/room", "hub/README"),
    *("notebooks/02_model", "notebooks/05_attributes", "notebooks/task/task"),
    *("notebooks/solutions/05_attributes_solutions", "reference/index", "reference/vaelib.latent"),
    *("search", "studio"),
)
MOVED = {  # what moves a widget, on the page of the notebook that has it: a slider, and the picture
    "notebooks/02_model": ("inside", "input[data-latent]", "img[data-face=decoded]"),
    "notebooks/05_attributes": ("studio", "input[data-attribute=Smiling]", "img[data-face=edited]"),
    "notebooks/06_morphing": ("morph", "input[type=range]", "img:visible"),
    "notebooks/explorers": ("explorer", "canvas", "img[data-face=decoded]"),
}
# The page is ready: what scrolls by itself is reached by keyboard.
REACHED = "[...document.querySelectorAll('pre, .pst-scrollable-table-container')].every("
REACHED += "part => part.scrollWidth <= part.clientWidth || part.tabIndex === 0)"
START = 60_000  # milliseconds until a widget is live, on a busy machine
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 360, "height": 740}


@pytest.fixture(scope="module")
def address(a_browser, serve):
    """The address of the site, which is built if there is none; without npm, there is none."""
    if not (SITE / "index.html").exists():
        if not npm.find_npm():
            pytest.skip("there is no npm, so there is no site: Node.js brings it")
        subprocess.run([sys.executable, "tools/site.py"], cwd=ROOT, check=True)
    with serve(SITE) as address:
        yield address


def test_no_page_names_the_machine_that_built_it(address):
    pages = [*SITE.rglob("*.html"), *SITE.rglob("searchindex.js")]
    assert len(pages) > 50
    assert [page for page in pages if str(ROOT) in page.read_text("utf-8")] == []


@pytest.fixture
def visit(address):
    """Opens pages; what they asked of other hosts, what failed and what they complained of."""
    problems = []

    def note(kind, text):
        problems.append(f"{kind}: {text}")

    def only_here(route):
        if route.request.url.startswith((address, "data:", "blob:")):
            route.continue_()
        else:
            note("another host", route.request.url)
            route.abort()

    with browser.browser_page(viewport=WIDE) as page:
        page.route("**/*", only_here)
        page.on("requestfailed", lambda r: None if left(r) else note("failed", r.url))
        page.on("response", lambda r: note(r.status, r.url) if r.status >= 400 else None)
        page.on("pageerror", lambda error: note("error", error))
        page.on("console", lambda m: note("console", m.text) if m.type == "error" else None)

        waiting = set()
        page.on("request", lambda request: waiting.add(request.url))
        page.on("requestfinished", lambda request: waiting.discard(request.url))
        page.on("requestfailed", lambda request: waiting.discard(request.url))

        def open_(name: str):
            """Go to a page; wait until its formulas are set, and all that it asked for is there."""
            waiting.clear()
            page.goto(f"{address}/{name}")
            page.evaluate("window.MathJax?.startup?.promise?.then(() => null)")
            end = time.monotonic() + 30
            while waiting:
                page.wait_for_timeout(10)
                assert time.monotonic() < end, waiting
            return page

        yield open_
    assert not problems


def left(request) -> bool:
    """Whether a request failed because the page was left before its picture had come."""
    return request.failure == "net::ERR_ABORTED"


def pages() -> list[str]:
    """All pages of the site."""
    return sorted(path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html"))


def test_every_page_asks_only_this_host_and_fits_a_telephone(visit):
    """Nothing is asked of another host, fails, or complains (`visit` holds that)."""
    too_wide = {}
    for name in pages():
        page = visit(name)
        page.set_viewport_size(NARROW)
        page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > NARROW["width"]:
            too_wide[name] = width
    assert len(pages()) > 50
    assert not too_wide


class Links(HTMLParser):
    """What a page links to or loads, and the places that can be linked to."""

    def __init__(self, text: str):
        super().__init__()
        self.targets, self.places = set(), {""}
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.targets |= {values[name] for name in ("href", "src") if values.get(name)}
        self.places.add(values.get("id") or "")


def test_every_link_leads_somewhere(address):
    read = {name: Links((SITE / name).read_text("utf-8")) for name in pages()}
    wrong = []
    for name, links in read.items():
        for target in links.targets:
            url = urlsplit(urljoin(f"{address}/{name}", target))
            path = unquote(url.path).lstrip("/") or "index.html"
            if f"{url.scheme}://{url.netloc}" != address:
                continue
            exists = (SITE / path).is_file()
            if not exists or (path in read and unquote(url.fragment) not in read[path].places):
                wrong.append(f"{name}: {target}")
    assert sum(len(links.targets) for links in read.values()) > 1000
    assert not wrong


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(visit, theme):
    found = []
    page = visit("search.html")
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    for name in KINDS:
        page = visit(f"{name}.html")
        if name == "studio":  # a page without the theme, which follows the system
            live(page, "studio")
        else:
            assert page.evaluate("document.documentElement.dataset.theme") == theme
        found += [f"{name}, {problem}" for problem in serious(page, f"{name}_{theme}")]
    assert not found, "\n".join(found)


def test_axe_finds_nothing_serious_in_live_widgets(visit):
    found = []
    for theme in ("light", "dark"):
        page = visit("search.html")
        page.set_viewport_size(WIDE)
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        page = visit("notebooks/explorers.html")
        for name in ("studio", "morph", "explorer", "inside"):
            live(page, name)
        # The theme's captions are too thin to be read, which axe does not see.
        weights = "[...document.querySelectorAll('.faces figcaption')].map(node => "
        weights += "getComputedStyle(node).fontWeight)"
        assert set(page.evaluate(weights)) == {"400"}
        found += [f"{theme}, {problem}" for problem in serious(page, f"live_{theme}")]
    assert not found, "\n".join(found)


def live(page, name: str):
    """Scroll to a widget, and wait until it is live."""
    widget = page.locator(f".latent-faces[data-widget={name}]").first
    widget.scroll_into_view_if_needed()
    page.locator(f".latent-faces[data-widget={name}][data-live]").first.wait_for(timeout=START)
    return widget


def serious(page, picture: str) -> list[str]:
    """What axe finds on a large and on a small screen; a picture of each is kept."""
    found = []
    page.add_script_tag(path=AXE)
    for size in (WIDE, NARROW):
        page.set_viewport_size(size)
        page.wait_for_function(REACHED)
        result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        for violation in result["violations"]:
            if violation["impact"] in ("serious", "critical"):
                first = violation["nodes"][0]
                found.append(f"{size['width']}: {violation['id']}: {first['html']}")
        name = f"site_{picture.replace('/', '_')}_{size['width']}.png"
        page.screenshot(path=SCREENSHOTS / name)
    return found


@pytest.mark.parametrize("name", MOVED)
def test_the_widgets_of_notebooks_are_live(visit, pixels, changed, name):
    kind, control, picture = MOVED[name]
    page = visit(f"{name}.html")
    widget = live(page, kind)
    before = pixels(widget.locator(picture).first)
    handle = widget.locator(control).first
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    page.mouse.click(box["x"] + 0.9 * box["width"], box["y"] + box["height"] / 2)
    for _ in range(50):
        if changed(before, pixels(widget.locator(picture).first)) > 0.5:
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"{picture} of {name} does not change")


def test_the_text_does_not_wait_for_the_model(address, new_page, hold):
    page = new_page(viewport=WIDE)
    let_in = hold(page, re.compile("/live/(?!still)"))
    page.goto(address, wait_until="commit")
    page.locator("ul.cards > li").nth(7).wait_for()
    assert page.get_by_role("heading", name="What the model does").bounding_box()["height"] > 10
    still = page.locator(".latent-faces img").first
    page.wait_for_function("document.querySelector('.latent-faces img').naturalWidth > 200")
    assert still.bounding_box()["height"] > 50
    let_in()
    live(page, "studio")


def test_the_plan_of_the_room_fills_one_page_of_paper(visit):
    printed = visit("docs/teaching/room.html").pdf(format="A4")
    assert len(re.findall(rb"/Type\s*/Page[^s]", printed)) == 1


def test_the_search_finds_a_word_of_the_glossary(visit):
    page = visit("notebooks/05_attributes.html")
    page.keyboard.press("Control+k")
    page.keyboard.type("counterfactual")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=counterfactual*")
    page.get_by_role("link", name="Glossary").first.click()
    page.wait_for_url("**/docs/glossary.html*")


def test_notebooks_are_shown_as_they_are_committed(visit):
    page = visit("notebooks/05_attributes.html")
    studio = page.locator(".latent-faces[data-widget=studio]")
    assert studio.get_attribute("data-notebook") == "05"
    assert studio.locator("img").evaluate("i => i.naturalWidth > 200 || i.loading === 'lazy'")
    text = page.inner_text("article")
    assert "18,000" in text or "vectors; the same for all faces" in text
    page.goto(page.url.replace("05_attributes", "02_model"))
    formula = page.locator("mjx-container").first
    formula.wait_for()
    assert formula.bounding_box()["width"] > 5


def test_solutions_are_folded_and_open_with_a_key(visit):
    page = visit("notebooks/solutions/05_attributes_solutions.html")
    solution = page.locator("details.solution").first
    answer = solution.locator(".cell").first
    assert not answer.is_visible()
    solution.locator("summary").focus()
    page.keyboard.press("Enter")
    assert answer.is_visible()


def test_the_keyboard_reaches_the_text_first(visit):
    page = visit("docs/glossary.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent.trim()") == "Skip to main content"
    page.keyboard.press("Enter")
    page.wait_for_url("**#main-content")


def test_without_scripts_pictures_and_text_are_there(address):
    with browser.browser_page(viewport=NARROW, java_script_enabled=False) as page:
        page.goto(address)
        still = page.locator(".latent-faces img")
        still.wait_for()
        assert still.bounding_box()["height"] > 50
        assert re.search(r"picture of the studio", page.inner_text(".latent-faces"))
        assert page.locator("ul.cards > li").count() == 8
