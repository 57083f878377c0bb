"""Going through pages by keys alone: each press leaves the focus where one sees it."""

from dataclasses import dataclass, field

from tests.browser.visitor import Visitor

_MOST_PRESSES = 60


@dataclass
class Steering:
    """A visitor without a mouse; ``lost`` fills with each press that lost the focus."""

    visitor: Visitor
    lost: list[str] = field(default_factory=list)

    def press(self, key: str) -> str:
        """Press a key; return the name of what has the focus then."""
        page = self.visitor.page
        at, before = page.url, self.name
        page.keyboard.press(key)
        if page.url != at:
            return ""
        page.evaluate(_SETTLED)
        seen: dict[str, str] = page.evaluate(_FOCUS)
        if seen["wrong"]:
            self.lost.append(
                f"{key} from “{before}” at {at}: “{seen['name']}”: {seen['wrong']}"
            )
        return seen["name"]

    def reach(self, name: str, key: str = "Tab") -> None:
        """Press a key until what has the focus is called so, among others."""
        passed = [self.name]
        while name not in passed[-1]:
            assert len(passed) < _MOST_PRESSES, f"no “{name}” among {passed}"
            passed.append(self.press(key))

    def choose(self, name: str, key: str = "Tab") -> None:
        """Go to it and press it."""
        self.reach(name, key)
        self.visitor.page.keyboard.press("Enter")

    def wait_for(self, name: str) -> None:
        """Wait until something of that name has the focus by itself."""
        self.visitor.until(lambda: name in self.name, f"{name} has the focus")

    @property
    def name(self) -> str:
        """Return what a screen reader would call what has the focus."""
        return str(self.visitor.page.evaluate(_FOCUS)["name"])


# Two frames: what the press scrolls or shows has come to rest.
_SETTLED = """() => new Promise((done) =>
    requestAnimationFrame(() => requestAnimationFrame(() => done())))"""
_FOCUS = """() => {
    const at = document.activeElement;
    const labelled = (at.getAttribute("aria-labelledby") ?? "").split(" ")
        .map((id) => document.getElementById(id)?.textContent).join(" ");
    const name = (at.ariaLabel || labelled.trim() || at.labels?.[0]?.textContent
        || at.innerText || at.id).trim().replace(/\\s+/g, " ");
    if (at === document.body) return { name: "", wrong: "nothing has the focus" };
    // A field that is drawn by its label shows the focus there.
    const style = getComputedStyle(at);
    const small = at.offsetWidth < 4 || style.opacity === "0";
    const drawn = small && at.closest("label") ? at.closest("label") : at;
    const box = drawn.getBoundingClientRect();
    const inside = box.bottom > 0 && box.right > 0
        && box.top < innerHeight && box.left < innerWidth;
    if (!inside) return { name, wrong: "it is off the screen" };
    const across = Math.min(Math.max(box.left + box.width / 2, 1), innerWidth - 2);
    const down = Math.min(Math.max(box.top + box.height / 2, 1), innerHeight - 2);
    const top = document.elementFromPoint(across, down);
    if (top && !drawn.contains(top) && !top.contains(drawn)) {
        return { name, wrong: `it is under ${top.outerHTML.slice(0, 80)}` };
    }
    const ringed = [drawn, ...drawn.querySelectorAll("*")].some((each) => {
        const own = getComputedStyle(each);
        return own.outlineStyle !== "none" && parseFloat(own.outlineWidth) >= 2
            || own.boxShadow !== "none";
    });
    return { name, wrong: ringed || at.matches("main") ? "" : "no mark shows it" };
}"""
