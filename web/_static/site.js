// Lets the keyboard scroll what is wide, code in an opened answer included (the theme looks once).

addEventListener("load", () => {
  const sizes = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
    }
  });
  for (const wide of document.querySelectorAll("pre, .cell_output .output, .bd-article table")) {
    sizes.observe(wide);
  }
});
