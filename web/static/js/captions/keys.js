// The keys of the editor, by place on the keyboard: Alt writes letters on some.
const WITH_CONTROL = {
  KeyS: (editor) => editor.save(),
  Enter: (editor) => editor.play(),
  Space: (editor) => editor.toggle(),
};
const WITH_ALT = {
  ArrowUp: (editor) => editor.step(-1),
  ArrowDown: (editor) => editor.step(1),
  KeyI: (editor) => editor.begin(),
  KeyO: (editor) => editor.end(),
  KeyP: (editor) => editor.split(),
  KeyJ: (editor) => editor.join(),
  KeyN: (editor) => editor.insert(),
  KeyL: (editor) => editor.doubt(),
  KeyZ: (editor) => editor.undo(),
};

export function onKeys(editor) {
  document.addEventListener("keydown", (event) => {
    const control = event.ctrlKey || event.metaKey;
    if (event.shiftKey || control === event.altKey) {
      return;
    }
    const act = (control ? WITH_CONTROL : WITH_ALT)[event.code];
    if (act) {
      event.preventDefault();
      act(editor);
    }
  });
}
