// Buttons of ours, in the bar under the film and in the menu behind the gear. Shaka
// makes them anew whenever the bar is arranged anew.

const made = new Set();

/**
 * Make a button that the stage can name. ``label`` is what it says, ``act`` what it
 * does, ``when`` whether there is a use for it now, ``on`` whether it is switched on.
 */
export function addButton(name, button) {
  const inBar = { create: (parent) => new Bar(parent, button) };
  const inMenu = { create: (parent, controls) => new Entry(parent, controls, button) };
  shaka.ui.Controls.registerElement(name, inBar);
  shaka.ui.OverflowMenu.registerElement(name, inMenu, false);
}

/** Show what there is a use for, and hide the rest. */
export function refreshButtons() {
  made.forEach((each) => each.refresh());
}

class Made {
  constructor(parent, wanted) {
    this.wanted = wanted;
    this.element = document.createElement("button");
    this.element.type = "button";
    this.element.append(drawing(wanted.drawing));
    parent.append(this.element);
    made.add(this);
  }

  refresh() {
    const { when, on } = this.wanted;
    this.element.hidden = when ? !when() : false;
    if (on) {
      this.element.setAttribute(this.state, String(on()));
    }
  }

  release() {
    made.delete(this);
  }
}

class Bar extends Made {
  state = "aria-pressed";

  constructor(parent, wanted) {
    super(parent, wanted);
    this.element.className = "shaka-tooltip own-button";
    this.element.ariaLabel = wanted.label;
    this.element.addEventListener("click", () => wanted.act());
    this.refresh();
  }
}

class Entry extends Made {
  state = "aria-checked";

  constructor(parent, controls, wanted) {
    super(parent, wanted);
    this.element.className = "own-entry";
    this.element.role = wanted.on ? "menuitemcheckbox" : "menuitem";
    const words = document.createElement("span");
    words.textContent = wanted.label;
    this.element.append(words);
    if (wanted.on) {
      this.element.append(drawing("check"));
    }
    this.element.addEventListener("click", () => {
      controls.hideSettingsMenus();
      wanted.act();
    });
    this.refresh();
  }
}

function drawing(name) {
  return document.getElementById(`drawing-${name}`).content.cloneNode(true);
}
