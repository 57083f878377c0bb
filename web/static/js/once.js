// A form is sent once: what is pressed again while the answer is on its way is the
// same wish. Scripts that send a form themselves have stopped the browser before.
const A_WHILE = 10000;
const underWay = new WeakSet();

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (underWay.has(form)) {
    event.preventDefault();
    return;
  }
  underWay.add(form);
  // An answer that is a file leaves the page as it is, and so does one that is lost.
  setTimeout(() => underWay.delete(form), A_WHILE);
});

// A page that the browser brings back may be sent again.
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const form of document.forms) underWay.delete(form);
});
