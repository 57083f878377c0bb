// Where an image is pressed is counted in the pixels it is shown with: say how many.
for (const image of document.querySelectorAll(".press input[type=image]")) {
  const form = image.form;
  image.addEventListener("click", () => {
    form.elements.namedItem("across").value = image.clientWidth;
    form.elements.namedItem("down").value = image.clientHeight;
  });
}
